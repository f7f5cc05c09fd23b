//! LOGICAL_AND and LOGICAL_OR: `micro/kernels/logical_common.cc`.

use crate::binary::Binary;
use crate::element::Bool;

/// Both.
#[derive(Clone, Copy, Debug)]
pub struct And;

impl Binary for And {
    type Input1 = Bool;
    type Input2 = Bool;
    type Output = Bool;

    #[inline(always)]
    fn apply(&self, x1: Bool, x2: Bool) -> Bool {
        Bool::new(x1.get() & x2.get())
    }
}

/// At least one of both.
#[derive(Clone, Copy, Debug)]
pub struct Or;

impl Binary for Or {
    type Input1 = Bool;
    type Input2 = Bool;
    type Output = Bool;

    #[inline(always)]
    fn apply(&self, x1: Bool, x2: Bool) -> Bool {
        Bool::new(x1.get() | x2.get())
    }
}
