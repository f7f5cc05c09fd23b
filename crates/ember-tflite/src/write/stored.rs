//! Weights in fewer bits: rewrites int8 weights of a [`ModelSpec`] into the forms that kernels decode.
//!
//! The forms but the packed ones are those of TFLM's `DECODE` operator (`micro/compression/decode.py` and `lut.py`,
//! `micro/kernels/decode_state_lut.cc` and `decode_state_prune.cc`), so that TFLM runs the file too; decode type 128 is
//! ours. A description has 16 bytes and the values behind them:
//!
//! | byte | content |
//! |---|---|
//! | 0 | decode type: 0 look-up table, 2 pruned, 128 pruned look-up table |
//! | 1 | version, 1 |
//! | 4 | version of the decode type, 1 |
//! | 5 | bits of an index |
//! | 6 | values of a table |
//! | 16.. | tables one after the other, one per channel of the quantization; or the values other than zero |

use std::borrow::ToOwned;
use std::collections::BTreeSet;
use std::vec;
use std::vec::Vec;

use ember_core::{BuiltinOp, Dtype};

use super::{ModelSpec, OperatorSpec, TensorSpec, WriteError};
use crate::metadata::DECODE;
use crate::model::TensorId;
use crate::options::Options;

/// A form of stored weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoredForm {
    /// INT4, two to a byte; for weights in -8..=7.
    Int4,
    /// INT2, four to a byte; for weights in -2..=1.
    Int2,
    /// Indices of 1 to 7 bits into tables of values, one table per channel of the quantization.
    Lut,
    /// A bit per weight, and the weights other than zero.
    Pruned,
    /// A bit per weight, and the indices of those other than zero into tables.
    PrunedLut,
}

/// Why weights cannot be stored in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFault {
    /// It is not a constant of int8 with scales.
    #[error("it is not a constant of INT8 with scales: quantize the model to int8 first")]
    NotInt8,
    /// A zero point other than 0.
    #[error("its zero point is {0}, expected 0 as weights have it: quantize them symmetrically")]
    ZeroPoint(i64),
    /// Channels that are neither outermost nor innermost.
    #[error("its channels are those of dimension {0}, expected the first or the last")]
    Dimension(i32),
    /// A weight outside of what the bits can hold.
    #[error("it has the weight {0}, which the bits do not hold: quantize to as many bits first")]
    Range(i8),
    /// More different weights than indices.
    #[error(
        "a channel has {0} different weights, at most 128 can be told apart by an index: cluster them first"
    )]
    Values(usize),
}

/// Weights in a form: what a tensor's bytes become, and the description that goes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Encoding {
    bytes: Vec<u8>,
    description: Option<Vec<u8>>,
}

/// Puts bits behind one another, the first highest in its byte.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    used: usize,
}

impl BitWriter {
    fn put(&mut self, value: usize, bits: usize) {
        for bit in (0..bits).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let set = (value >> bit & 1) as u8;
            if let Some(last) = self.bytes.last_mut() {
                *last |= set << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }
}

/// How weights divide into channels.
struct Channels {
    count: usize,
    innermost: bool,
    of_channel: usize,
}

impl Channels {
    fn of(tensor: &TensorSpec, elements: usize) -> Result<Self, StoreFault> {
        let quantization = tensor.quantization.as_ref().ok_or(StoreFault::NotInt8)?;
        if let Some(zero) = quantization.zero_points.iter().find(|zero| **zero != 0) {
            return Err(StoreFault::ZeroPoint(*zero));
        }
        let count = quantization.scales.len();
        let dimension = quantization.quantized_dimension;
        let last = tensor.shape.len() as i32 - 1;
        if count > 1 && dimension != 0 && dimension != last {
            return Err(StoreFault::Dimension(dimension));
        }
        Ok(Self {
            count,
            innermost: count > 1 && dimension == last,
            of_channel: elements / count.max(1),
        })
    }

    fn channel(&self, element: usize) -> usize {
        if self.innermost {
            element % self.count
        } else {
            element / self.of_channel.max(1)
        }
    }
}

fn encode(tensor: &TensorSpec, form: StoredForm) -> Result<Encoding, StoreFault> {
    let data = tensor.data.as_ref().filter(|_| tensor.dtype == Dtype::Int8);
    let data = data.ok_or(StoreFault::NotInt8)?;
    let weights: Vec<i8> = data.iter().map(|byte| byte.cast_signed()).collect();
    let channels = Channels::of(tensor, weights.len())?;
    let packed = |bits: u32| {
        let limit = 1i8 << (bits - 1);
        if let Some(weight) = weights.iter().find(|w| **w < -limit || **w >= limit) {
            return Err(StoreFault::Range(*weight));
        }
        let mask = (1u8 << bits) - 1;
        let byte = |chunk: &[i8]| {
            let places = chunk.iter().zip((0..8).step_by(bits as usize));
            places.fold(0, |byte, (weight, place)| {
                byte | (weight.cast_unsigned() & mask) << place
            })
        };
        Ok(Encoding {
            bytes: weights.chunks(8 / bits as usize).map(byte).collect(),
            description: None,
        })
    };
    match form {
        StoredForm::Int4 => packed(4),
        StoredForm::Int2 => packed(2),
        StoredForm::Pruned => {
            let mut description = vec![2, 1, 0, 0, 1];
            description.resize(16, 0);
            description.extend(
                weights
                    .iter()
                    .filter(|w| **w != 0)
                    .map(|w| w.cast_unsigned()),
            );
            Ok(Encoding {
                bytes: map(&weights),
                description: Some(description),
            })
        }
        StoredForm::Lut => look_up(&weights, &channels, false),
        StoredForm::PrunedLut => look_up(&weights, &channels, true),
    }
}

/// A bit for each weight: whether it is other than zero.
fn map(weights: &[i8]) -> Vec<u8> {
    let mut map = BitWriter::default();
    for weight in weights {
        map.put(usize::from(*weight != 0), 1);
    }
    map.bytes
}

fn look_up(weights: &[i8], channels: &Channels, pruned: bool) -> Result<Encoding, StoreFault> {
    let mut tables = vec![BTreeSet::new(); channels.count];
    let stored = |weight: i8| !pruned || weight != 0;
    for (element, weight) in weights.iter().enumerate().filter(|(_, w)| stored(**w)) {
        tables[channels.channel(element)].insert(*weight);
    }
    let stride = tables.iter().map(BTreeSet::len).max().unwrap_or(0).max(1);
    if stride > 128 {
        return Err(StoreFault::Values(stride));
    }
    let bits = (usize::BITS - (stride - 1).leading_zeros()).max(1) as usize;
    let mut indices = BitWriter::default();
    for (element, weight) in weights.iter().enumerate().filter(|(_, w)| stored(**w)) {
        let table = &tables[channels.channel(element)];
        indices.put(table.range(..weight).count(), bits);
    }
    let mut description = vec![
        if pruned { 128 } else { 0 },
        1,
        0,
        0,
        1,
        bits as u8,
        stride as u8,
    ];
    description.resize(16, 0);
    for table in &tables {
        let values = table.iter().map(|value| value.cast_unsigned());
        description.extend(values.chain(core::iter::repeat(0)).take(stride));
    }
    let mut bytes = if pruned { map(weights) } else { Vec::new() };
    bytes.extend(indices.bytes);
    Ok(Encoding {
        bytes,
        description: Some(description),
    })
}

impl ModelSpec {
    /// Bytes that the weights of a tensor take in a form, its description included.
    ///
    /// # Errors
    /// [`WriteError::Store`] as [`ModelSpec::store`].
    pub fn stored_bytes(&self, tensor: TensorId, form: StoredForm) -> Result<usize, WriteError> {
        let encoding = self.encoding(tensor, form)?;
        Ok(encoding.bytes.len() + encoding.description.map_or(0, |bytes| bytes.len()))
    }

    fn encoding(&self, id: TensorId, form: StoredForm) -> Result<Encoding, WriteError> {
        let tensor = self.tensors.get(id.index());
        let fault = |name: &str, fault| WriteError::Store {
            tensor: id.index(),
            name: name.to_owned(),
            fault,
        };
        let tensor = tensor.ok_or_else(|| fault("", StoreFault::NotInt8))?;
        encode(tensor, form).map_err(|found| fault(&tensor.name, found))
    }

    /// Stores int8 weights in another form. The values stay what they are; for all forms but the packed ones a `DECODE`
    /// operator is put in front of the first operator that reads them.
    ///
    /// # Errors
    /// [`WriteError::Store`] where the weights cannot be stored so; the model is as it was.
    pub fn store(&mut self, id: TensorId, form: StoredForm) -> Result<(), WriteError> {
        let Encoding { bytes, description } = self.encoding(id, form)?;
        let tensor = &mut self.tensors[id.index()];
        let Some(description) = description else {
            tensor.dtype = if form == StoredForm::Int4 {
                Dtype::Int4
            } else {
                Dtype::Int2
            };
            tensor.data = Some(bytes);
            return Ok(());
        };
        tensor.data = None;
        let name = tensor.name.clone();
        let constant = |suffix: &str, bytes: Vec<u8>| {
            let name = name.clone() + suffix;
            TensorSpec::new(name, Dtype::Uint8, [bytes.len()]).with_data(bytes)
        };
        let encoded = self.push_tensor(constant("_encoded", bytes));
        let described = self.push_tensor(constant("_description", description));
        let reader = self
            .operators
            .iter()
            .position(|op| op.inputs.contains(&Some(id)));
        let mut decode =
            OperatorSpec::new(BuiltinOp::Custom, [encoded, described], [id], Options::None);
        decode.custom_code = DECODE.to_owned();
        self.operators.insert(reader.unwrap_or(0), decode);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};

    use super::*;
    use crate::write::QuantizationSpec;

    fn tensor(shape: &[usize], scales: &[f32], dimension: i32, weights: &[i8]) -> TensorSpec {
        let data: Vec<u8> = weights.iter().map(|w| w.cast_unsigned()).collect();
        TensorSpec::new("w", Dtype::Int8, shape)
            .with_data(data)
            .with_quantization(QuantizationSpec::per_channel(scales, dimension))
    }

    /// The example in TFLM's `micro/compression/metadata.fbs`: 7, 0, 3, 2 in three bits each.
    #[test]
    fn indices_begin_at_the_highest_bit() {
        let mut bits = BitWriter::default();
        for index in [7, 0, 3, 2] {
            bits.put(index, 3);
        }
        assert_eq!(bits.bytes, [0b1110_0001, 0b1010_0000]);
    }

    #[test]
    fn every_channel_has_its_table() {
        let weights = [5, -3, 5, 5, 9, 9, 9, 7];
        let rows = encode(&tensor(&[2, 4], &[1.0, 1.0], 0, &weights), StoredForm::Lut).unwrap();
        assert_eq!(rows.bytes, [0b1011_1110]);
        let description = rows.description.unwrap();
        assert_eq!(description[..8], [0, 1, 0, 0, 1, 1, 2, 0]);
        assert_eq!(description[16..], [0xfd, 5, 7, 9]);
        // Four channels, innermost: 5 9 | -3 9 | 5 9 | 5 7.
        let columns = tensor(&[2, 4], &[1.0; 4], 1, &weights);
        let columns = encode(&columns, StoredForm::Lut).unwrap();
        assert_eq!(columns.bytes, [0b0000_1111]);
        assert_eq!(
            columns.description.unwrap()[16..],
            [5, 9, 0xfd, 9, 5, 9, 5, 7]
        );
    }

    #[test]
    fn zeros_are_left_out() {
        let weights = [0, 4, 0, 0, -4, 0, 0, 0, 4, 0];
        let one = tensor(&[1, 10], &[1.0], 0, &weights);
        let pruned = encode(&one, StoredForm::Pruned).unwrap();
        assert_eq!(pruned.bytes, [0b0100_1000, 0b1000_0000]);
        assert_eq!(pruned.description.unwrap()[16..], [4, 0xfc, 4]);
        let both = encode(&one, StoredForm::PrunedLut).unwrap();
        assert_eq!(both.bytes, [0b0100_1000, 0b1000_0000, 0b1010_0000]);
        assert_eq!(both.description.unwrap()[16..], [0xfc, 4]);
    }

    #[test]
    fn packed_weights_begin_at_the_lowest_bit() {
        let nibbles = encode(&tensor(&[1, 3], &[1.0], 0, &[1, -1, 7]), StoredForm::Int4).unwrap();
        assert_eq!(nibbles.bytes, [0xf1, 0x07]);
        let pairs = encode(
            &tensor(&[1, 5], &[1.0], 0, &[1, -1, 0, -2, 1]),
            StoredForm::Int2,
        );
        assert_eq!(pairs.unwrap().bytes, [0b1000_1101, 1]);
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        let mut spec = ModelSpec::default();
        let many: Vec<i8> = (-128..=127).collect();
        let id = spec.push_tensor(tensor(&[1, 256], &[1.0], 0, &many));
        let text = |spec: &mut ModelSpec, form| -> String {
            spec.store(id, form).unwrap_err().to_string()
        };
        assert!(text(&mut spec, StoredForm::Lut).contains("256 different weights"));
        assert!(text(&mut spec, StoredForm::Int4).contains("the weight -128"));
        spec.tensors[0].quantization = Some(QuantizationSpec::per_tensor(1.0, 3));
        assert!(text(&mut spec, StoredForm::Pruned).contains("zero point is 3"));
        spec.tensors[0].quantization = None;
        assert!(text(&mut spec, StoredForm::Pruned).contains("not a constant of INT8"));
    }
}
