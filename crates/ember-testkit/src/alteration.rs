//! Wrong models in sound files: what no damage to bytes finds behind the reader's checks. A model is taken apart, some
//! of what it says is changed to something absurd, and it is written again.

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_tflite::write::{ModelSpec, OperatorSpec, QuantizationSpec, TensorSpec, write};
use ember_tflite::{Dims, Model, Options, TensorId};

use crate::mutation::Mutant;
use crate::random::Random;

const DIMENSIONS: &[usize] = &[
    0,
    1,
    2,
    3,
    5,
    7,
    64,
    1000,
    65_535,
    65_536,
    1 << 30,
    0x7fff_ffff,
];
const SCALES: &[f32] = &[
    0.0,
    -0.1,
    f32::NAN,
    f32::INFINITY,
    f32::MIN_POSITIVE,
    1e-45,
    f32::MAX,
    1e-7,
    3.0,
    1e6,
];
const ZERO_POINTS: &[i64] = &[
    -129,
    -128,
    -1,
    0,
    1,
    127,
    128,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
    i64::MIN,
];
const NUMBERS: &[i32] = &[
    0,
    1,
    2,
    3,
    -1,
    -2,
    4,
    7,
    255,
    256,
    65_536,
    1 << 30,
    i32::MAX,
    i32::MIN,
];
const ACTIVATIONS: &[Activation] = &[
    Activation::None,
    Activation::Relu,
    Activation::ReluN1To1,
    Activation::Relu6,
    Activation::Tanh,
    Activation::SignBit,
];
const DTYPES: &[Dtype] = &[
    Dtype::Float32,
    Dtype::Int8,
    Dtype::Int32,
    Dtype::Int16,
    Dtype::Uint8,
    Dtype::Int64,
    Dtype::Int4,
    Dtype::Bool,
    Dtype::String,
];

/// A constant of more bytes is not made: the file would only be large.
const CONSTANT_LIMIT: usize = 1 << 16;

/// Endless wrong models, the same for the same seed everywhere.
#[derive(Clone, Debug)]
pub struct Alterations {
    random: Random,
}

impl Alterations {
    /// Alterations drawn from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
        }
    }

    /// The model with one to three alterations; none where the file format cannot express the result.
    pub fn alter(&mut self, model: &Model<'_>) -> Option<Mutant> {
        let mut spec = ModelSpec::from_model(model).ok()?;
        let mut how = String::new();
        for _ in 0..=self.random.below(3) {
            how += &self.alter_once(&mut spec);
            how += "; ";
        }
        spec.tensors.iter_mut().for_each(fit_constant);
        let bytes = write(&spec).ok()?;
        Some(Mutant { bytes, how })
    }

    fn alter_once(&mut self, spec: &mut ModelSpec) -> String {
        let tensor = self.random.below(spec.tensors.len());
        let operator = self.random.below(spec.operators.len());
        match self.random.below(8) {
            0 | 1 => {
                let what = self.alter_shape(&mut spec.tensors[tensor]);
                format!("tensor {tensor}: {what}")
            }
            2 => {
                let what = self.alter_quantization(&mut spec.tensors[tensor]);
                format!("tensor {tensor}: {what}")
            }
            3 => {
                let what = self.alter_content(&mut spec.tensors[tensor]);
                format!("tensor {tensor}: {what}")
            }
            4 => {
                let tensors = spec.tensors.len();
                let what = self.alter_operands(&mut spec.operators[operator], tensors);
                format!("operator {operator}: {what}")
            }
            5 => self.alter_graph(spec),
            _ => {
                let options = &mut spec.operators[operator].options;
                self.alter_options(options);
                format!("operator {operator}: {options:?}")
            }
        }
    }

    fn alter_shape(&mut self, tensor: &mut TensorSpec) -> String {
        let at = self.random.below(tensor.shape.len());
        let size = self.random.pick(DIMENSIONS);
        match self.random.below(4) {
            0 => tensor.shape.insert(at, size),
            1 if !tensor.shape.is_empty() => drop(tensor.shape.remove(at)),
            2 if !tensor.shape.is_empty() => {
                // A size that is nearly right.
                tensor.shape[at] = (tensor.shape[at] + self.random.below(3)).saturating_sub(1);
            }
            _ => {
                if let Some(dim) = tensor.shape.get_mut(at) {
                    *dim = size;
                }
            }
        }
        format!("shape {:?}", tensor.shape)
    }

    fn alter_quantization(&mut self, tensor: &mut TensorSpec) -> String {
        let choice = self.random.below(6);
        let quantization = tensor
            .quantization
            .get_or_insert_with(QuantizationSpec::default);
        match choice {
            0 => quantization.quantized_dimension = self.random.pick(NUMBERS),
            1 => quantization.scales.push(self.random.pick(SCALES)),
            2 => drop(quantization.zero_points.pop()),
            3 => {
                let zero_point = self.random.pick(ZERO_POINTS);
                quantization
                    .zero_points
                    .iter_mut()
                    .for_each(|z| *z = zero_point);
            }
            _ => {
                let scale = self.random.pick(SCALES);
                let at = self.random.below(quantization.scales.len());
                if let Some(old) = quantization.scales.get_mut(at) {
                    *old = scale;
                }
            }
        }
        let what = format!("quantization {quantization:?}");
        if choice == 5 {
            tensor.quantization = None;
            return "no quantization".to_owned();
        }
        what
    }

    fn alter_content(&mut self, tensor: &mut TensorSpec) -> String {
        let number = self.random.pick(NUMBERS);
        match self.random.below(4) {
            0 => {
                tensor.dtype = self.random.pick(DTYPES);
                format!("type {}", tensor.dtype)
            }
            1 => {
                tensor.is_variable = !tensor.is_variable;
                "variable".to_owned()
            }
            2 => {
                tensor.data = match tensor.data {
                    Some(_) => None,
                    None => Some(number.to_le_bytes().to_vec()),
                };
                format!("constant: {}", tensor.data.is_some())
            }
            _ => {
                let data = tensor.data.get_or_insert_default();
                let at = self.random.below(data.len() / 4) * 4;
                if let Some(word) = data.get_mut(at..at + 4) {
                    word.copy_from_slice(&number.to_le_bytes());
                }
                format!("constant with {number} at byte {at}")
            }
        }
    }

    fn alter_operands(&mut self, operator: &mut OperatorSpec, tensors: usize) -> String {
        let other = Some(TensorId(self.random.below(tensors) as u32));
        let inputs = self.random.below(3) != 0;
        let choice = self.random.below(4);
        let list = if inputs {
            &mut operator.inputs
        } else {
            &mut operator.outputs
        };
        let at = self.random.below(list.len());
        match choice {
            0 => list.push(other),
            1 => drop(list.pop()),
            2 => {
                if let Some(operand) = list.get_mut(at) {
                    *operand = None;
                }
            }
            _ => {
                if let Some(operand) = list.get_mut(at) {
                    *operand = other;
                }
            }
        }
        format!(
            "inputs {:?}, outputs {:?}",
            operator.inputs, operator.outputs
        )
    }

    fn alter_graph(&mut self, spec: &mut ModelSpec) -> String {
        let operator = self.random.below(spec.operators.len());
        let tensor = TensorId(self.random.below(spec.tensors.len()) as u32);
        match self.random.below(6) {
            0 => {
                let op = self.random.pick(BuiltinOp::ALL);
                spec.operators[operator].op = op;
                spec.operators[operator].options = Options::default_for(op);
                format!("operator {operator} is {op}")
            }
            1 => {
                let copy = spec.operators[operator].clone();
                spec.operators.push(copy);
                format!("operator {operator} twice")
            }
            2 => {
                spec.operators.reverse();
                "operators reversed".to_owned()
            }
            3 => {
                spec.inputs.push(tensor);
                format!("{tensor:?} is an input")
            }
            4 => {
                spec.outputs.push(tensor);
                format!("{tensor:?} is an output")
            }
            _ => {
                let count = self.random.below(spec.tensors.len() + 2);
                let offsets: Vec<i32> = (0..count)
                    .map(|_| self.random.pick(&[-1, 0, 16, 64, 3, -2, 4096, i32::MAX]))
                    .collect();
                spec.set_arena_plan(&offsets);
                format!("arena plan {offsets:?}")
            }
        }
    }

    fn alter_options(&mut self, options: &mut Options) {
        let number = self.random.pick(NUMBERS);
        let activation = self.random.pick(ACTIVATIONS);
        let field = self.random.below(6);
        match (options, field) {
            (Options::Conv2d(o), 0) => o.stride_w = number,
            (Options::Conv2d(o), 1) => o.stride_h = number,
            (Options::Conv2d(o), 2) => o.dilation_w_factor = number,
            (Options::Conv2d(o), 3) => o.dilation_h_factor = number,
            (Options::Conv2d(o), 4) => flip(&mut o.padding),
            (Options::Conv2d(o), _) => o.fused_activation_function = activation,
            (Options::DepthwiseConv2d(o), 0) => o.stride_w = number,
            (Options::DepthwiseConv2d(o), 1) => o.stride_h = number,
            (Options::DepthwiseConv2d(o), 2) => o.dilation_w_factor = number,
            (Options::DepthwiseConv2d(o), 3) => o.depth_multiplier = number,
            (Options::DepthwiseConv2d(o), 4) => flip(&mut o.padding),
            (Options::DepthwiseConv2d(o), _) => o.fused_activation_function = activation,
            (Options::Pool2d(o), 0) => o.stride_w = number,
            (Options::Pool2d(o), 1) => o.stride_h = number,
            (Options::Pool2d(o), 2) => o.filter_width = number,
            (Options::Pool2d(o), 3) => o.filter_height = number,
            (Options::Pool2d(o), 4) => flip(&mut o.padding),
            (Options::Pool2d(o), _) => o.fused_activation_function = activation,
            (Options::FullyConnected(o), 0..=2) => o.keep_num_dims = !o.keep_num_dims,
            (Options::FullyConnected(o), _) => o.fused_activation_function = activation,
            (Options::Softmax(o), 0..=2) => o.beta = self.random.pick(SCALES),
            (Options::Softmax(o), _) => o.beta = number as f32,
            (Options::LeakyRelu(o), _) => o.alpha = self.random.pick(SCALES),
            (Options::Concatenation(o), 0..=2) => o.axis = number,
            (Options::Concatenation(o), _) => o.fused_activation_function = activation,
            (Options::SpaceToDepth(o), _) => o.block_size = number,
            (Options::DepthToSpace(o), _) => o.block_size = number,
            (Options::Gather(o), 0..=2) => o.axis = number,
            (Options::Gather(o), _) => o.batch_dims = number,
            (Options::Split(o), _) => o.num_splits = number,
            (Options::SplitV(o), _) => o.num_splits = number,
            (Options::Unpack(o), 0..=2) => o.num = number,
            (Options::Unpack(o), _) => o.axis = number,
            (Options::L2Norm(o), _) => o.fused_activation_function = activation,
            (Options::ResizeBilinear(o), 0..=2) => o.align_corners = !o.align_corners,
            (Options::ResizeBilinear(o), _) => o.half_pixel_centers = !o.half_pixel_centers,
            (Options::ResizeNearestNeighbor(o), 0..=2) => o.align_corners = !o.align_corners,
            (Options::ResizeNearestNeighbor(o), _) => o.half_pixel_centers = !o.half_pixel_centers,
            (Options::Reducer(o), _) => o.keep_dims = !o.keep_dims,
            (Options::BatchMatMul(o), 0..=2) => o.adj_x = !o.adj_x,
            (Options::BatchMatMul(o), _) => o.adj_y = !o.adj_y,
            (Options::Cumsum(o), 0..=2) => o.exclusive = !o.exclusive,
            (Options::Cumsum(o), _) => o.reverse = !o.reverse,
            (Options::TransposeConv(o), 0) => o.stride_w = number,
            (Options::TransposeConv(o), 1) => o.stride_h = number,
            (Options::TransposeConv(o), 2..=4) => flip(&mut o.padding),
            (Options::TransposeConv(o), _) => o.fused_activation_function = activation,
            (Options::Sub(o), _) => o.fused_activation_function = activation,
            (Options::Mul(o), _) => o.fused_activation_function = activation,
            (Options::Div(o), _) => o.fused_activation_function = activation,
            (Options::Add(o), _) => o.fused_activation_function = activation,
            (Options::Reshape(o), _) => {
                let dims = [number, self.random.pick(NUMBERS)];
                o.new_shape = Dims::new(&dims[..self.random.below(3)]).unwrap_or_default();
            }
            (Options::StridedSlice(o), 0) => o.begin_mask = number,
            (Options::StridedSlice(o), 1) => o.end_mask = number,
            (Options::StridedSlice(o), 2) => o.ellipsis_mask = number,
            (Options::StridedSlice(o), 3) => o.new_axis_mask = number,
            (Options::StridedSlice(o), 4) => o.offset = !o.offset,
            (Options::StridedSlice(o), _) => o.shrink_axis_mask = number,
            (Options::Shape(o), _) => o.out_type = self.random.pick(DTYPES),
            (Options::Pack(o), 0..=2) => o.values_count = number,
            (Options::Pack(o), _) => o.axis = number,
            (Options::Svdf(o), 0..=2) => o.rank = number,
            (Options::Svdf(o), _) => o.fused_activation_function = activation,
            (Options::UnidirectionalSequenceLstm(o), 0..=1) => o.time_major = !o.time_major,
            (Options::UnidirectionalSequenceLstm(o), 2..=4) => {
                o.cell_clip = self.random.pick(SCALES);
            }
            (Options::UnidirectionalSequenceLstm(o), _) => o.fused_activation_function = activation,
            // An operator without options that Ember reads: nothing to alter.
            (_, _) => {}
        }
    }
}

const fn flip(padding: &mut Padding) {
    *padding = match padding {
        Padding::Same => Padding::Valid,
        Padding::Valid => Padding::Same,
    };
}

/// Gives a constant as many bytes as its shape asks for, so that the file stays sound.
fn fit_constant(tensor: &mut TensorSpec) {
    let elements = tensor
        .shape
        .iter()
        .try_fold(1usize, |product, dim| product.checked_mul(*dim));
    let bytes = elements.and_then(|elements| tensor.dtype.bytes_for(elements));
    if let (Some(data), Some(bytes @ 1..=CONSTANT_LIMIT)) = (&mut tensor.data, bytes) {
        data.resize(bytes, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::Alterations;
    use crate::sample;
    use ember_tflite::Model;

    #[test]
    fn most_alterations_are_sound_files_that_differ() {
        let file = sample::model(true);
        let model = Model::parse(file.as_slice()).unwrap();
        let (mut a, mut b) = (Alterations::new(3), Alterations::new(3));
        let mut sound = 0;
        for _ in 0..300 {
            let (left, right) = (a.alter(&model), b.alter(&model));
            let how = |mutant: &Option<super::Mutant>| mutant.as_ref().map(|m| m.how.clone());
            assert_eq!(how(&left), how(&right));
            sound += usize::from(left.is_some_and(|m| Model::parse(&m.bytes).is_ok()));
        }
        assert!(sound > 120, "{sound} of 300");
    }
}
