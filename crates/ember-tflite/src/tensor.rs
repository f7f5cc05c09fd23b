//! A tensor: its type, shape, constant bytes and quantization.

use ember_core::Dtype;

use crate::flat::{List, Rows, Table};
use crate::schema::{buffer, quantization_parameters, tensor};

/// A tensor of a subgraph.
#[derive(Clone, Copy)]
pub struct Tensor<'a> {
    pub(crate) table: Table<'a>,
    /// Those of the model.
    pub(crate) buffers: Rows,
}

impl<'a> Tensor<'a> {
    /// The type of its elements.
    #[must_use]
    pub const fn dtype(&self) -> Dtype {
        self.table.dtype(tensor::dtype)
    }

    /// Its dimensions.
    #[must_use]
    pub const fn shape(&self) -> Shape<'a> {
        Shape(self.table.list(tensor::shape))
    }

    /// The number of elements: the product of the dimensions, 1 for a scalar.
    #[must_use]
    pub const fn elements(&self) -> usize {
        self.shape().elements()
    }

    /// Bytes of all elements; 0 for the types whose elements have no fixed size.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        match self.dtype().bytes_for(self.elements()) {
            Some(bytes) => bytes,
            None => 0,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.table.text(tensor::name)
    }

    /// Its index in `Model.buffers`.
    #[must_use]
    pub const fn buffer_index(&self) -> usize {
        self.table.word(tensor::buffer.slot, tensor::buffer.default) as usize
    }

    /// The bytes of a constant, little-endian, row-major, sub-byte types packed: exactly [`Tensor::byte_len`] of them;
    /// empty where the tensor is not constant.
    ///
    /// They begin at a multiple of 4 from the start of the file. TensorFlow asks for 16, but its own converter leaves
    /// some 64-bit constants at a multiple of 4 only.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        match self.buffer() {
            Some(table) => table.data(buffer::data),
            None => &[],
        }
    }

    /// Where [`Tensor::data`] begins and its length, in bytes of the file; zeros where the tensor is not constant.
    #[must_use]
    pub const fn data_range(&self) -> (usize, usize) {
        match self.buffer() {
            Some(table) => table.vector_at(buffer::data.slot, 1),
            None => (0, 0),
        }
    }

    const fn buffer(&self) -> Option<Table<'a>> {
        self.buffers.of(self.table.bytes).get(self.buffer_index())
    }

    /// Whether its content lives from one run to the next.
    #[must_use]
    pub const fn is_variable(&self) -> bool {
        self.table.flag(tensor::is_variable)
    }

    /// Whether an empty shape means a scalar, rather than a shape that nobody knows.
    #[must_use]
    pub const fn has_rank(&self) -> bool {
        self.table.flag(tensor::has_rank)
    }

    /// What the integers stand for; none where the tensor has no scales or no zero points (converters leave such tables
    /// for float tensors).
    #[must_use]
    pub const fn quantization(&self) -> Option<Quantization<'a>> {
        let Some(table) = self.table.table(tensor::quantization) else {
            return None;
        };
        let quantization = Quantization {
            scales: table.list(quantization_parameters::scale),
            zero_points: table.list(quantization_parameters::zero_point),
            dimension: table.word(quantization_parameters::quantized_dimension.slot, 0) as i32,
        };
        if quantization.scales.is_empty() || quantization.zero_points.is_empty() {
            return None;
        }
        Some(quantization)
    }
}

/// The dimensions of a tensor, outermost first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape<'a>(pub(crate) List<'a, i32>);

impl<'a> Shape<'a> {
    /// The number of dimensions; 0 for a scalar.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is a scalar's shape.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The dimension at `index`, if there is one.
    #[must_use]
    pub const fn get(&self, index: usize) -> Option<usize> {
        match self.0.word(index) {
            Some(dim) => Some(dimension(dim as i32)),
            None => None,
        }
    }

    /// The last dimension, the channels of most tensors.
    #[must_use]
    pub const fn last(&self) -> Option<usize> {
        match self.len().checked_sub(1) {
            Some(index) => self.get(index),
            None => None,
        }
    }

    /// The dimensions in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> + Clone + 'a {
        self.0.iter().map(dimension)
    }

    /// The product of the dimensions, 1 for a scalar: at most 2147483647 in a checked file.
    #[must_use]
    #[inline(never)]
    pub const fn elements(&self) -> usize {
        let (mut product, mut index) = (1usize, 0usize);
        while let Some(dim) = self.get(index) {
            product = product.saturating_mul(dim);
            index = index.wrapping_add(1);
        }
        product
    }

    /// The first `N` dimensions, if the shape has exactly so many.
    #[must_use]
    pub fn to_array<const N: usize>(&self) -> Option<[usize; N]> {
        if self.len() != N {
            return None;
        }
        let mut dims = [0; N];
        for (to, from) in dims.iter_mut().zip(self.iter()) {
            *to = from;
        }
        Some(dims)
    }
}

/// Negative dimensions do not pass the check.
const fn dimension(dim: i32) -> usize {
    if dim < 0 { 0 } else { dim as usize }
}

/// What a tensor's integers stand for: `scale * (q - zero_point)`, per tensor or per channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization<'a> {
    scales: List<'a, f32>,
    zero_points: List<'a, i64>,
    dimension: i32,
}

impl<'a> Quantization<'a> {
    /// The number of channels that have their own scale and zero point: 1 when quantized per tensor.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are no scales; never so in a checked file.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// One scale, or one per channel: positive or zero, finite.
    #[must_use]
    pub const fn scales(&self) -> List<'a, f32> {
        self.scales
    }

    /// The scale of this channel.
    #[must_use]
    pub const fn scale(&self, channel: usize) -> Option<f32> {
        match self.scales.word(channel) {
            Some(bits) => Some(f32::from_bits(bits)),
            None => None,
        }
    }

    /// One zero point, or one per channel: as many as scales.
    pub fn zero_points(&self) -> impl ExactSizeIterator<Item = i32> + Clone + 'a {
        self.zero_points.iter().map(|zero_point| zero_point as i32)
    }

    /// The zero point of this channel.
    #[must_use]
    pub const fn zero_point(&self, channel: usize) -> Option<i32> {
        match self.zero_points.long(channel) {
            Some(zero_point) => Some(zero_point as i32),
            None => None,
        }
    }

    /// The dimension of the shape whose positions are the channels, as the file says it.
    ///
    /// Where it is not one of the shape's dimensions, the channels are those of the last one: old converters wrote the
    /// weights' dimension (3) for the biases (of one dimension) too, and TFLM takes such files.
    #[must_use]
    pub const fn quantized_dimension(&self) -> i32 {
        self.dimension
    }

    pub(crate) const fn raw_zero_points(&self) -> List<'a, i64> {
        self.zero_points
    }
}
