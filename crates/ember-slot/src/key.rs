//! The key that a model's signature must belong to.

/// An Ed25519 public key (RFC 8032). Without the feature `ed25519` there is none, as nothing could verify with it.
#[cfg(feature = "ed25519")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

#[cfg(feature = "ed25519")]
impl PublicKey {
    /// A key from its 32 bytes. Bytes that are no point of the curve make a key that no signature belongs to.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` is one of `message` by the key's owner.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        crate::ed25519::verify(&self.0, message, signature)
    }
}

/// An Ed25519 public key. Without the feature `ed25519` there is none, as nothing could verify with it.
#[cfg(not(feature = "ed25519"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey {}

#[cfg(not(feature = "ed25519"))]
impl PublicKey {
    pub(crate) const fn verifies(&self, _message: &[u8], _signature: &[u8; 64]) -> bool {
        match *self {}
    }
}
