//! The key that a model's signature must belong to.

/// There is no code that verifies signatures, so there is no key either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey {}

impl PublicKey {
    pub(crate) const fn verifies(&self, _message: &[u8], _signature: &[u8; 64]) -> bool {
        match *self {}
    }
}
