//! The operators that a firmware has kernels for, or that a model needs.

use ember_core::BuiltinOp;

/// A set of builtin operators: a bit for each code, the lowest bit of byte 0 for code 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operators([u8; Self::BYTES]);

impl Operators {
    /// Bytes of the set: codes fit into one byte.
    pub const BYTES: usize = 32;

    /// No operator.
    pub const NONE: Self = Self([0; Self::BYTES]);

    /// Every operator of the schema.
    pub const ALL: Self = {
        let mut all = Self::NONE;
        let mut index = 0;
        while index < BuiltinOp::ALL.len() {
            all = all.with(BuiltinOp::ALL[index]);
            index += 1;
        }
        all
    };

    /// The set with one more operator.
    #[must_use]
    pub const fn with(mut self, op: BuiltinOp) -> Self {
        let code = op as u8;
        self.0[code as usize >> 3] |= 1 << (code & 7);
        self
    }

    /// Whether the operator is in the set.
    #[must_use]
    pub const fn contains(&self, op: BuiltinOp) -> bool {
        let code = op as u8;
        self.0[code as usize >> 3] >> (code & 7) & 1 == 1
    }

    /// What is in this set and not in the other, in the order of codes.
    pub fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = BuiltinOp> + 'a {
        BuiltinOp::ALL
            .iter()
            .copied()
            .filter(|op| self.contains(*op) && !other.contains(*op))
    }

    pub(crate) const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

impl FromIterator<BuiltinOp> for Operators {
    fn from_iter<I: IntoIterator<Item = BuiltinOp>>(operators: I) -> Self {
        operators.into_iter().fold(Self::NONE, Self::with)
    }
}
