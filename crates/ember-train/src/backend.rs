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
    ///
    /// # Errors
    /// When the backend was left out of this binary.
    #[cfg_attr(
        feature = "ndarray",
        expect(deprecated, reason = "whoever asks for ndarray by name shall have it")
    )]
    pub fn device(self) -> Result<Device, TrainError> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => Ok(Device::ndarray()),
            #[cfg(not(all(feature = "flex", feature = "ndarray")))]
            missing => Err(TrainError::BackendNotBuilt {
                backend: missing.name(),
                command: match missing {
                    Self::Flex => "cargo run --release -p ember-train -- --backend flex",
                    Self::Ndarray => {
                        "cargo run --release -p ember-train --features ndarray -- --backend ndarray"
                    }
                },
            }),
        }
    }
}
