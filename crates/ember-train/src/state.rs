//! The state of a training on disk: all that is needed to go on with the same bits.
//!
//! A safetensors file. Its metadata has three keys: `format`, `state` (settings, position and Adam's step counts as JSON)
//! and `sha256` over that JSON and all numbers, so that a damaged file is found out. Its tensors are, for the graph's
//! constant number i, `parameter.i`, `first_moment.i` and `second_moment.i`, and `mask.i` (1 where a weight is free, 0 where it
//! is held at 0) and `group.i` (equal numbers for weights that share a value) where weights are bound; all flat f32.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::held::Bonds;
use crate::optimizer::Moments;
use crate::score::Score;
use crate::settings::Settings;
use crate::{EpochRecord, TrainError, file};

const FORMAT: &str = "ember training state 1";

/// How far a training is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Epochs that are done and validated.
    pub(crate) epoch: usize,
    /// Steps of the epoch after them.
    pub(crate) step: usize,
    /// The score of those steps.
    pub(crate) score: Score,
    /// Seconds spent on that epoch.
    pub(crate) epoch_seconds: f64,
    /// The epochs that are done.
    pub(crate) history: Vec<EpochRecord>,
}

/// A training between two steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    /// The dataset's fingerprint.
    pub(crate) data: String,
    pub(crate) position: Position,
    /// In the order of the graph's constants.
    pub(crate) parameters: Vec<Vec<f32>>,
    /// The same order; none for a parameter that has had no gradient yet.
    pub(crate) moments: Vec<Option<Moments>>,
    /// The same order.
    pub(crate) bonds: Vec<Bonds>,
    /// Least and greatest number of each value of the graph that has a range; empty without quantization.
    pub(crate) ranges: Vec<Option<[f32; 2]>>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    settings: Settings,
    data: String,
    position: Position,
    /// Adam's step count for each parameter.
    times: Vec<Option<usize>>,
    /// Whether there is a mask, and whether there are groups, for each parameter.
    #[serde(default)]
    bonds: Vec<[bool; 2]>,
    #[serde(default)]
    ranges: Vec<Option<[f32; 2]>>,
}

impl State {
    /// Writes the state, whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> Result<(), TrainError> {
        let broken = |problem: String| TrainError::State {
            path: path.to_owned(),
            problem: format!("the state cannot be encoded: {problem}"),
        };
        let header = Header {
            settings: self.settings.clone(),
            data: self.data.clone(),
            position: self.position.clone(),
            times: self
                .moments
                .iter()
                .map(|moments| moments.as_ref().map(|moments| moments.time))
                .collect(),
            bonds: self
                .bonds
                .iter()
                .map(|bonds| [bonds.mask.is_some(), bonds.groups.is_some()])
                .collect(),
            ranges: self.ranges.clone(),
        };
        let header = serde_json::to_string(&header).map_err(|error| broken(error.to_string()))?;
        let mut tensors: Vec<(String, Vec<u8>)> = Vec::new();
        let mut push = |name: String, numbers: &[f32]| {
            let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
            tensors.push((name, bytes.collect()));
        };
        for (index, numbers) in self.parameters.iter().enumerate() {
            push(format!("parameter.{index}"), numbers);
        }
        for (index, moments) in self.moments.iter().enumerate() {
            if let Some(moments) = moments {
                push(format!("first_moment.{index}"), &moments.first);
                push(format!("second_moment.{index}"), &moments.second);
            }
        }
        for (index, bonds) in self.bonds.iter().enumerate() {
            if let Some(mask) = &bonds.mask {
                let mask: Vec<f32> = mask.iter().map(|free| f32::from(u8::from(*free))).collect();
                push(format!("mask.{index}"), &mask);
            }
            if let Some(groups) = &bonds.groups {
                // A tensor has fewer weights than f32 counts exactly.
                let groups: Vec<f32> = groups.iter().map(|group| *group as f32).collect();
                push(format!("group.{index}"), &groups);
            }
        }
        let names_and_bytes = tensors
            .iter()
            .map(|(name, bytes)| (name.as_str(), &bytes[..]));
        let sha256 = digest(&header, names_and_bytes);
        let mut views = Vec::with_capacity(tensors.len());
        for (name, bytes) in &tensors {
            let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)
                .map_err(|error| broken(error.to_string()))?;
            views.push((name.as_str(), view));
        }
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("state".to_owned(), header),
            ("sha256".to_owned(), sha256),
        ]);
        let bytes = safetensors::serialize(views, Some(metadata))
            .map_err(|error| broken(error.to_string()))?;
        file::write_atomically(path, &bytes)
    }

    /// Reads a state; none when there is no such file.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, TrainError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(TrainError::File {
                    action: "read",
                    path: path.to_owned(),
                    source,
                });
            }
        };
        match Self::decode(&bytes) {
            Ok(state) => Ok(Some(state)),
            Err(problem) => Err(TrainError::State {
                path: path.to_owned(),
                problem,
            }),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let damaged = |what: &str| format!("the stored training is damaged ({what})");
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| damaged(&format!("not a safetensors file: {error}")))?;
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| damaged(&format!("not a safetensors file: {error}")))?;
        let metadata = metadata.metadata().clone().unwrap_or_default();
        let key = |key: &str| {
            metadata
                .get(key)
                .ok_or_else(|| damaged(&format!("no \"{key}\" in its metadata")))
        };
        if key("format")? != FORMAT {
            return Err(format!(
                "its format is \"{}\", expected \"{FORMAT}\": another version of Ember wrote it",
                key("format")?
            ));
        }
        let text = key("state")?;
        let header: Header = serde_json::from_str(text)
            .map_err(|error| damaged(&format!("its state is not readable: {error}")))?;
        let tensor = |name: String| {
            let view = tensors.tensor(&name).ok();
            let view = view.filter(|view| view.dtype() == Dtype::F32);
            view.map(|view| (name.clone(), view.data()))
                .ok_or_else(|| damaged(&format!("no f32 tensor \"{name}\"")))
        };
        let mut ordered = Vec::new();
        for index in 0..header.times.len() {
            ordered.push(tensor(format!("parameter.{index}"))?);
        }
        for index in (0..header.times.len()).filter(|&index| header.times[index].is_some()) {
            ordered.push(tensor(format!("first_moment.{index}"))?);
            ordered.push(tensor(format!("second_moment.{index}"))?);
        }
        for (index, [mask, groups]) in header.bonds.iter().enumerate() {
            if *mask {
                ordered.push(tensor(format!("mask.{index}"))?);
            }
            if *groups {
                ordered.push(tensor(format!("group.{index}"))?);
            }
        }
        let names_and_bytes = ordered.iter().map(|(name, bytes)| (name.as_str(), *bytes));
        if *key("sha256")? != digest(text, names_and_bytes) {
            return Err(damaged("its checksum is wrong"));
        }
        let mut numbers = ordered.iter().map(|(_, bytes)| floats(bytes));
        let parameters = numbers.by_ref().take(header.times.len()).collect();
        let moments = header.times.iter().map(|time| {
            let time = (*time)?;
            Some(Moments {
                time,
                first: numbers.next()?,
                second: numbers.next()?,
            })
        });
        let moments = moments.collect();
        let mut bound = |there: bool| there.then(|| numbers.next()).flatten();
        let bonds = header.bonds.iter().map(|[mask, groups]| Bonds {
            mask: bound(*mask).map(|mask| mask.iter().map(|free| *free != 0.0).collect()),
            groups: bound(*groups).map(|groups| groups.iter().map(|group| *group as u32).collect()),
        });
        let bonds = bonds.collect();
        Ok(Self {
            parameters,
            moments,
            bonds,
            ranges: header.ranges,
            settings: header.settings,
            data: header.data,
            position: header.position,
        })
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks();
    numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// SHA-256 over the header and over name, length and bytes of each tensor, in hexadecimal.
fn digest<'a>(header: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut sha = Sha256::new();
    sha.update(header.as_bytes());
    for (name, bytes) in tensors {
        sha.update(name.as_bytes());
        sha.update((bytes.len() as u64).to_le_bytes());
        sha.update(bytes);
    }
    hex(&sha.finalize())
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Bonds;
    use super::{Moments, Position, State};
    use crate::{Backend, Compression, Settings};

    fn state() -> State {
        State {
            settings: Settings {
                model: "seed-cnn".to_owned(),
                dataset: "mnist".to_owned(),
                backend: Backend::Flex,
                epochs: 5,
                batch: 32,
                learning_rate: 1e-3,
                final_learning_rate: None,
                seed: 7,
                validation: 5000,
                limit_steps: None,
                compression: Compression::default(),
            },
            data: "00".to_owned(),
            position: Position {
                epoch: 1,
                step: 77,
                epoch_seconds: 0.1 + 0.2,
                ..Position::default()
            },
            parameters: vec![vec![1.5, -0.0, f32::MIN_POSITIVE / 2.0], vec![]],
            moments: vec![
                Some(Moments {
                    time: 1796,
                    first: vec![0.1; 3],
                    second: vec![1e-30; 3],
                }),
                None,
            ],
            bonds: vec![
                Bonds {
                    mask: Some(vec![true, false, true]),
                    groups: Some(vec![0, 1, 0]),
                },
                Bonds::default(),
            ],
            ranges: vec![None, Some([-0.1, 0.7])],
        }
    }

    #[test]
    fn a_state_comes_back_to_the_bit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        assert_eq!(State::load(&path).unwrap(), None);
        state().save(&path).unwrap();
        let loaded = State::load(&path).unwrap().unwrap();
        assert_eq!(loaded, state());
        let bits = |state: &State| {
            state.parameters[0]
                .iter()
                .map(|x| x.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&loaded), bits(&state()));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_damaged_byte_goes_unnoticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        state().save(&path).unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            let decoded = State::decode(&bad);
            assert!(
                decoded.is_err() || decoded.is_ok_and(|decoded| decoded == state()),
                "byte {at}"
            );
            assert!(State::decode(&good[..at]).is_err(), "cut at {at}");
        }
    }
}
