//! The Burn backends that a training can run on.

use burn::tensor::Device;

use crate::TrainError;

/// A Burn backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Burn's CPU backend of today: the default.
    Flex,
    /// The older CPU backend; several times slower on a CNN.
    Ndarray,
}

impl Backend {
    /// What `--backend` takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
        }
    }

    /// The backend with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn from_name(name: &str) -> Result<Self, TrainError> {
        [Self::Flex, Self::Ndarray]
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| TrainError::UnknownBackend {
                name: name.to_owned(),
            })
    }

    /// The device to train on, without gradients.
    #[must_use]
    #[expect(deprecated, reason = "whoever asks for ndarray by name shall have it")]
    pub fn device(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            Self::Ndarray => Device::ndarray(),
        }
    }
}
