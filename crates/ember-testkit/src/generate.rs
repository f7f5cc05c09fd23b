//! Valid models drawn at random: every operator in every type that it has, with one-sized and odd dimensions, broadcasting,
//! strides, dilations and scales at the ends of what files have; with conditions and loops in each other, and variables. What
//! one runtime says of such a model, every other one must say.
//!
//! The same seed gives the same model everywhere.

mod elements;
mod flow;
mod indices;
mod moves;
mod reductions;
mod windows;

use ember_core::{Activation, BuiltinOp, Dtype};
use ember_micro::{arena_bytes_needed, registry};
use ember_tflite::write::{ModelSpec, OperatorSpec, QuantizationSpec, TensorSpec, write};
use ember_tflite::{Model, Options, TensorId};

use crate::aligned::AlignedBytes;
use crate::random::Random;

/// Dimensions of inputs.
const SIZES: &[usize] = &[1, 1, 2, 3, 4, 5, 7, 8];
/// Draws, of which many are nothing for the tensor or not taken. They do not depend on the number of operators, so that fewer
/// operators of one seed are the first ones of more.
const ATTEMPTS: usize = 200;
/// A tensor of more elements is not made.
const ELEMENT_LIMIT: usize = 3000;
/// Scales, of weights too: of pixels, of sigmoids, odd ones, and ones far from all others.
const SCALES: &[f32] = &[
    1.0 / 256.0,
    1.0 / 255.0,
    1.0 / 128.0,
    1.0 / 32768.0,
    0.05,
    0.1,
    0.37,
    1.0,
    2.5,
    1.1e-3,
    7.0e-5,
];
const ZERO_POINTS: &[i32] = &[-128, -127, -3, 0, 0, 1, 77, 127];
const FLOATS: &[f32] = &[0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.5, 6.0, 100.0, -1e-4];

/// Which operators a model may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// All.
    All,
    /// Those that `ember-graph` has, on float32: convolutions, pools, dense layers, ADD, RELU, RELU6, SOFTMAX, RESHAPE.
    OfGraphs,
}

/// Draws operators behind the tensor and adds them; `None` where the family has nothing for such a tensor.
type Family = fn(&mut Builder, TensorId) -> Option<()>;

const OF_GRAPHS: &[Family] = &[
    windows::conv_2d,
    windows::conv_2d,
    windows::depthwise_conv_2d,
    windows::pool_2d,
    windows::fully_connected,
    elements::add,
    elements::relu,
    reductions::softmax,
    moves::reshape,
];

const ALL: &[&[Family]] = &[
    OF_GRAPHS,
    elements::ALL,
    flow::ALL,
    indices::ALL,
    moves::ALL,
    reductions::ALL,
    windows::FURTHER,
];

/// The model of this seed, with at most so many operators, and at least one.
///
/// # Panics
/// When no operator is taken: the generator is wrong.
#[must_use]
pub fn model(seed: u64, operators: usize, families: Families) -> ModelSpec {
    let mut random = Random::new(seed);
    let families: Vec<Family> = match families {
        Families::All => ALL.concat(),
        Families::OfGraphs => OF_GRAPHS.to_vec(),
    };
    let only_float = families.len() == OF_GRAPHS.len();
    let dtypes = [
        Dtype::Int8,
        Dtype::Int8,
        Dtype::Float32,
        Dtype::Int16,
        Dtype::Int32,
    ];
    let dtype = if only_float {
        Dtype::Float32
    } else {
        random.pick(&dtypes)
    };
    let rank = random.pick(&[4, 4, 4, 2, 2, 3, 1, 5]);
    let mut builder = Builder {
        random,
        spec: ModelSpec::default(),
        values: Vec::new(),
        families,
        depth: 0,
    };
    let mut shape = builder.shape(rank);
    if only_float {
        shape[0] = 1;
    }
    let input = builder.tensor(dtype, &shape);
    builder.spec.inputs.push(input);
    builder.values.push(input);
    for _ in 0..ATTEMPTS {
        if builder.spec.operators.len() >= operators {
            break;
        }
        let family = builder.random.pick(&builder.families);
        // Mostly behind what was made last, so that models are deep.
        let from = builder
            .values
            .len()
            .saturating_sub(1 + builder.random.below(3));
        let from = builder.values[from];
        builder.attempt(family, from);
    }
    assert!(
        !builder.spec.operators.is_empty(),
        "seed {seed}: no operator"
    );
    builder.finish()
}

/// Inputs for a model: floats of all sizes, integers of any bits, truth values.
#[must_use]
pub fn inputs(spec: &ModelSpec, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random::new(!seed);
    let tensor = |id: &TensorId| &spec.tensors[id.0 as usize];
    let inputs = spec.inputs.iter().map(tensor);
    inputs
        .map(|tensor| {
            numbers(
                &mut random,
                tensor.dtype,
                tensor.shape.iter().product(),
                3.0,
            )
        })
        .collect()
}

/// Random elements; floats are within `spread` of 0, mostly.
fn numbers(random: &mut Random, dtype: Dtype, count: usize, spread: f32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..count {
        let bits = random.bits();
        match dtype {
            Dtype::Float32 if random.below(16) == 0 => {
                bytes.extend((random.pick(FLOATS)).to_le_bytes());
            }
            Dtype::Float32 => {
                let unit = (bits >> 40) as f32 / (1u32 << 23) as f32 - 1.0;
                bytes.extend((unit * spread).to_le_bytes());
            }
            Dtype::Bool => bytes.push(bits as u8 & 1),
            // Sums and products stay in range, so that no engine's overflow counts.
            Dtype::Int32 => bytes.extend((bits as i32 >> 20).to_le_bytes()),
            Dtype::Int64 => bytes.extend((bits as i64 >> 50).to_le_bytes()),
            _ => {
                let len = dtype.bits().unwrap_or(8) as usize / 8;
                bytes.extend(&bits.to_le_bytes()[..len]);
            }
        }
    }
    bytes
}

/// A model that grows.
struct Builder {
    random: Random,
    spec: ModelSpec,
    /// Tensors that further operators may read.
    values: Vec<TensorId>,
    /// What is drawn.
    families: Vec<Family>,
    /// In how many subgraphs, one in the other, it is at work.
    depth: usize,
}

impl Builder {
    /// Adds what the family draws, if the interpreter's preparation takes it.
    fn attempt(&mut self, family: Family, from: TensorId) {
        // SHAPE of a scalar is a list of nothing.
        if self.get(from).shape.contains(&0) {
            return;
        }
        let (spec, values) = (self.spec.clone(), self.values.clone());
        if family(self, from).is_none() || !self.is_valid() {
            (self.spec, self.values) = (spec, values);
        }
    }

    fn is_valid(&self) -> bool {
        let elements = |tensor: &TensorSpec| tensor.shape.iter().product::<usize>();
        if self
            .spec
            .tensors
            .iter()
            .any(|tensor| elements(tensor) > ELEMENT_LIMIT)
        {
            return false;
        }
        let Ok(file) = write(&self.clone_finished()) else {
            return false;
        };
        let file = AlignedBytes::copy_of(&file);
        let model = Model::parse(file.as_slice());
        model.is_ok_and(|model| arena_bytes_needed(&model, registry::ALL).is_ok())
    }

    fn clone_finished(&self) -> ModelSpec {
        let mut spec = self.spec.clone();
        let read = |id: &TensorId| {
            spec.operators
                .iter()
                .any(|op| op.inputs.contains(&Some(*id)))
        };
        let made = spec
            .operators
            .iter()
            .flat_map(|op| op.outputs.iter().flatten());
        let outputs: Vec<TensorId> = made.copied().filter(|id| !read(id)).collect();
        spec.outputs = outputs;
        spec
    }

    /// The model with all that nothing reads as its outputs.
    fn finish(self) -> ModelSpec {
        self.clone_finished()
    }

    fn get(&self, id: TensorId) -> TensorSpec {
        self.spec.tensors[id.0 as usize].clone()
    }

    fn shape(&mut self, rank: usize) -> Vec<usize> {
        let mut shape: Vec<usize> = (0..rank).map(|_| self.random.pick(SIZES)).collect();
        // So that operators that make more of it are taken, too.
        while shape.iter().product::<usize>() > ELEMENT_LIMIT / 8
            && let Some(greatest) = shape.iter_mut().max()
        {
            *greatest /= 2;
        }
        shape
    }

    fn activation(&mut self) -> Activation {
        let some = [Activation::Relu, Activation::Relu6, Activation::ReluN1To1];
        if self.random.below(2) == 0 {
            Activation::None
        } else {
            self.random.pick(&some)
        }
    }

    fn flag(&mut self) -> bool {
        self.random.below(2) == 0
    }

    /// The quantization that an activation of this type may have.
    fn quantization(&mut self, dtype: Dtype) -> Option<QuantizationSpec> {
        let scale = self.random.pick(SCALES);
        match dtype {
            Dtype::Int8 => {
                let zero_point = self.random.pick(ZERO_POINTS);
                Some(QuantizationSpec::per_tensor(scale, zero_point))
            }
            Dtype::Int16 => Some(QuantizationSpec::per_tensor(scale, 0)),
            _ => None,
        }
    }

    /// A tensor with a quantization of its own.
    fn tensor(&mut self, dtype: Dtype, shape: &[usize]) -> TensorId {
        let mut tensor = TensorSpec::new("", dtype, shape);
        tensor.quantization = self.quantization(dtype);
        self.spec.push_tensor(tensor)
    }

    /// A tensor with type and quantization of another.
    fn like(&mut self, other: TensorId, shape: &[usize]) -> TensorId {
        let mut tensor = TensorSpec::new("", self.get(other).dtype, shape);
        tensor.quantization = self.get(other).quantization;
        self.spec.push_tensor(tensor)
    }

    /// A constant of random numbers with type and quantization of another tensor.
    fn constant_like(&mut self, other: TensorId, shape: &[usize]) -> TensorId {
        let id = self.like(other, shape);
        self.filled(id, 3.0)
    }

    /// Makes the tensor a constant.
    fn filled(&mut self, id: TensorId, spread: f32) -> TensorId {
        let tensor = self.get(id);
        let count = tensor.shape.iter().product();
        let data = numbers(&mut self.random, tensor.dtype, count, spread);
        self.spec.tensors[id.0 as usize].data = Some(data);
        id
    }

    /// A constant of int32.
    fn int32(&mut self, values: &[i32], shape: &[usize]) -> TensorId {
        let data: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let tensor = TensorSpec::new("", Dtype::Int32, shape).with_data(data);
        self.spec.push_tensor(tensor)
    }

    /// A list of int32.
    fn list(&mut self, values: &[i32]) -> TensorId {
        self.int32(values, &[values.len()])
    }

    /// Adds an operator whose outputs others may read.
    fn operator(
        &mut self,
        op: BuiltinOp,
        inputs: &[TensorId],
        outputs: &[TensorId],
        options: impl Into<Options>,
    ) -> Option<()> {
        let operator =
            OperatorSpec::new(op, inputs.iter().copied(), outputs.iter().copied(), options);
        // The schema's first version of BROADCAST_TO is 2.
        let version = if op == BuiltinOp::BroadcastTo { 2 } else { 1 };
        self.spec.operators.push(operator.with_version(version));
        self.values.extend(outputs);
        Some(())
    }
}

/// The model as text, for the message of a failing test: an operator in a line.
#[must_use]
pub fn text(spec: &ModelSpec) -> String {
    let mut text = lines(&spec.tensors, &spec.operators);
    for (graph, number) in spec.called.iter().zip(1..) {
        let list = |ids: &[TensorId]| {
            let texts = ids.iter().map(|id| tensor_text(&graph.tensors, Some(*id)));
            texts.collect::<Vec<_>>().join(", ")
        };
        let (inputs, outputs) = (list(&graph.inputs), list(&graph.outputs));
        text += &format!("subgraph {number}({inputs}) -> {outputs}\n");
        text += &lines(&graph.tensors, &graph.operators);
    }
    text
}

fn lines(tensors: &[TensorSpec], operators: &[OperatorSpec]) -> String {
    let list = |ids: &[Option<TensorId>]| {
        let texts = ids.iter().map(|id| tensor_text(tensors, *id));
        texts.collect::<Vec<_>>().join(", ")
    };
    let lines = operators.iter().map(|operator| {
        let (inputs, outputs) = (list(&operator.inputs), list(&operator.outputs));
        let variable = operator.variable.as_ref();
        let variable = variable.map_or(String::new(), |own| format!(" {:?}", own.name));
        format!(
            "{}({inputs}) -> {outputs} {:?}{variable}\n",
            operator.op, operator.options
        )
    });
    lines.collect()
}

fn tensor_text(tensors: &[TensorSpec], id: Option<TensorId>) -> String {
    let Some(TensorId(id)) = id else {
        return "-".to_owned();
    };
    let tensor = &tensors[id as usize];
    let quantization = tensor.quantization.as_ref().map_or(String::new(), |own| {
        format!(" {:?} {:?}", own.scales, own.zero_points)
    });
    let kind = if tensor.data.is_some() {
        "constant "
    } else {
        ""
    };
    format!(
        "%{id} {kind}{}{:?}{quantization}",
        tensor.dtype.name().to_lowercase(),
        tensor.shape
    )
}

/// The environment variable that names other seeds than a test's own: `1000..50000`.
pub const VARIABLE: &str = "EMBER_RANDOM_MODELS";

/// The seeds of [`VARIABLE`], or these.
///
/// # Panics
/// When the variable is not a range.
#[must_use]
pub fn seeds(own: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let Ok(given) = std::env::var(VARIABLE) else {
        return own;
    };
    let parts = given.split_once("..");
    let range = parts.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.unwrap_or_else(|| panic!("{VARIABLE} is {given:?}; expected such as 1000..50000"))
}
