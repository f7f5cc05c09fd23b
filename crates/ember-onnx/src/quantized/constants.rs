//! Filters, weights, biases and constant activations: the integers of the file.

use ember_graph::{Elements, Node, Op, Quantization, QuantizedSource, ValueId};

use super::Keeper;
use crate::OnnxError;
use crate::constant::Integers;

impl<'g> Keeper<'g> {
    /// The integers of a constant, which no pass has changed.
    fn integers(&self, id: ValueId) -> Result<&'g Integers, OnnxError> {
        let name = self.name(id);
        let Some(integers) = self.constants.get(name).copied() else {
            return Err(self.fault(
                id,
                "the file holds real numbers, and must hold integers and a DequantizeLinear",
            ));
        };
        let before = self
            .before
            .find(name)
            .and_then(|id| self.before.constant(id));
        if before != self.graph.constant(id) {
            return Err(self.fault(
                id,
                "folding a batch norm into it would change it: fold it before quantization",
            ));
        }
        Ok(integers)
    }

    fn int8(
        &self,
        id: ValueId,
        integers: impl Iterator<Item = i64>,
    ) -> Result<Elements, OnnxError> {
        let narrow: Result<Vec<i8>, _> = integers.map(i8::try_from).collect();
        narrow.map(Elements::Int8).map_err(|_| {
            self.fault(
                id,
                "the difference of its integers and their zero point has more than 8 bits",
            )
        })
    }

    pub(super) fn constant_activation(&mut self, id: ValueId) -> Result<ValueId, OnnxError> {
        let integers = self.integers(id)?;
        let zero_point = integers.zero_point;
        let stored = integers
            .integers
            .iter()
            .map(|integer| integer.saturating_add(i64::from(zero_point)));
        let elements = self.int8(id, stored)?;
        let quantization = Quantization::PerTensor {
            scale: integers.scales[0],
            zero_point,
        };
        let value = &self.graph.values[id.index()];
        Ok(self.push(
            value.name.clone(),
            &value.shape,
            quantization,
            QuantizedSource::Constant(elements),
        ))
    }

    pub(super) fn weights(&mut self, node: &Node, id: ValueId) -> Result<ValueId, OnnxError> {
        let integers = self.integers(id)?;
        let quantization = match (&integers.scales[..], integers.axis) {
            _ if integers.zero_point != 0 => {
                return Err(self.fault(
                    id,
                    format!(
                        "weights have the zero point 0 (128 in UINT8), and these have {} more",
                        integers.zero_point
                    ),
                ));
            }
            ([scale], _) => Quantization::PerTensor {
                scale: *scale,
                zero_point: 0,
            },
            (scales, axis) => Quantization::PerChannel {
                axis,
                scales: scales.to_vec(),
            },
        };
        let channels = if matches!(node.op, Op::DepthwiseConv2d { .. }) {
            3
        } else {
            0
        };
        if integers.scales.len() > 1 && integers.axis != channels {
            return Err(self.fault(
                id,
                "it is quantized along its inputs, and must be along its outputs",
            ));
        }
        let elements = self.int8(id, integers.integers.iter().copied())?;
        let value = &self.graph.values[id.index()];
        Ok(self.push(
            value.name.clone(),
            &value.shape,
            quantization,
            QuantizedSource::Constant(elements),
        ))
    }

    /// A bias at the scales `input scale * weight scale`: the file's integers, or its real numbers rounded.
    pub(super) fn bias(
        &mut self,
        id: ValueId,
        input: ValueId,
        weights: ValueId,
    ) -> Result<ValueId, OnnxError> {
        let of_input = self.values[input.index()].quantization.scales()[0];
        let of_weights = &self.values[weights.index()].quantization;
        let scales: Vec<f32> = of_weights
            .scales()
            .iter()
            .map(|scale| of_input * scale)
            .collect();
        let scale_of = |channel: usize| scales[channel % scales.len()];
        let rounded: Vec<i64> = if self.constants.contains_key(self.name(id)) {
            let integers = self.integers(id)?;
            for channel in 0..integers.integers.len().max(scales.len()) {
                let (expected, given) = (
                    scale_of(channel),
                    integers.scales[channel % integers.scales.len()],
                );
                // Exporters multiply in f64, or round the product elsewhere.
                if !integers.wide || (expected - given).abs() > expected * 2.0 * f32::EPSILON {
                    return Err(self.fault(
                        id,
                        format!("a bias is INT32 with the scale of the input times that of the weights, {expected}; this one has {given}"),
                    ));
                }
            }
            integers.integers.clone()
        } else {
            let numbers = self.graph.constant(id).unwrap_or_default();
            let steps = numbers.iter().enumerate();
            steps
                .map(|(channel, number)| {
                    (f64::from(*number) / f64::from(scale_of(channel))).round() as i64
                })
                .collect()
        };
        let narrow: Result<Vec<i32>, _> = rounded.into_iter().map(i32::try_from).collect();
        let elements = narrow.map_err(|_| {
            self.fault(
                id,
                "it does not fit 32 bits at the scale of the input times that of the weights",
            )
        })?;
        let quantization = match (of_weights, &scales[..]) {
            (Quantization::PerTensor { .. }, [scale]) => Quantization::PerTensor {
                scale: *scale,
                zero_point: 0,
            },
            _ => Quantization::PerChannel { axis: 0, scales },
        };
        let value = &self.graph.values[id.index()];
        Ok(self.push(
            value.name.clone(),
            &value.shape,
            quantization,
            QuantizedSource::Constant(Elements::Int32(elements)),
        ))
    }
}
