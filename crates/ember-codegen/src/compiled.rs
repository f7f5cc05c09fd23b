//! A model compiled to Rust: no interpreter, no file format, every number known when the firmware is built.
//!
//! [`source`] turns a `.tflite` file into one module. Its `Model` holds the memory of all tensors, which is its only state, and
//! has a function per operator that calls the kernel of `ember-kernels` with constant shapes and multipliers. Outputs equal
//! those of [`Interpreter`] to the byte: the numbers come from its own preparation.
//!
//! A firmware needs `ember-kernels` and the file:
//!
//! ```ignore
//! mod digits {
//!     include!("digits.rs");
//! }
//!
//! // All zero, so it takes no flash. `static_cell`, or a local variable, does as well.
//! static MODEL: Mutex<RefCell<digits::Model>> = Mutex::new(RefCell::new(digits::Model::new()));
//!
//! fn classify(model: &mut digits::Model, image: &[u8]) -> Option<u8> {
//!     model.input(0)?.copy_from_slice(image);
//!     model.invoke().ok()?;
//!     let scores = model.output(0)?;
//!     (0..10).max_by_key(|digit| scores[usize::from(*digit)].cast_signed())
//! }
//! ```
//!
//! Inputs are overwritten by a run, so all of them are to be written before each.

mod arena;
mod constants;
mod graph;
pub mod host;
mod operators;
mod render;
mod step;
mod text;

use ember_core::BuiltinOp;
use ember_micro::{ARENA_ALIGNMENT, Interpreter, arena_bytes_needed, initial_byte, registry};
use ember_tflite::Model;

use crate::CodegenError;
use arena::Buffer;
use constants::Constants;
use graph::{Graph, Place, ids};
use step::{Bytes, Function, Problem, Step};

/// What a compiled model's source has in the line that a build looks for.
pub const ENGINE_LINE: &str = "pub const ENGINE: &str = \"compiled\";";

/// The source of a compiled model: `Model` with `new`, `input`, `output` and `invoke`, `OPERATORS` in the order of execution,
/// `ARENA_BYTES`, `INPUT_BYTES`, `OUTPUT_BYTES`, `MODEL_BYTES` (of its constants), and `MODEL_FILE_BYTES`, `MODEL_SHA256` and
/// `MODEL_CRC` of the file that it was made from. The text is meant for `include!`: no inner attributes, full paths.
///
/// # Errors
/// When the bytes are no model, when the runtime does not take it, and [`CodegenError::NotCompiled`] for an operator that only
/// the interpreter has.
pub fn source(bytes: &[u8]) -> Result<String, CodegenError> {
    let model = Model::parse(bytes)?;
    // The preparation of the interpreter checks everything, and finds every number.
    let mut memory = vec![0; arena_bytes_needed(&model, registry::ALL)? + ARENA_ALIGNMENT];
    let skipped = memory.as_ptr().align_offset(ARENA_ALIGNMENT);
    let interpreter = Interpreter::new(&model, registry::ALL, &mut memory[skipped..])?;
    let program = Program::new(&model, &interpreter)?;
    Ok(render::module(bytes, &program))
}

/// Whether the kernel of this name in [`registry::NAMED`] becomes source.
#[must_use]
pub fn compiles(kernel: &str) -> bool {
    operators::names().any(|own| own == kernel)
}

/// A model whose operators have become functions.
struct Program<'m> {
    graph: Graph<'m>,
    constants: Constants<'m>,
    operators: Vec<Compiled>,
    /// For each operator's bindings, where they lie in the arena.
    places: Vec<Vec<std::ops::Range<usize>>>,
    /// Inputs and outputs of the model: constants have no place.
    inputs: Vec<Port<'m>>,
    outputs: Vec<Port<'m>>,
    arena_bytes: usize,
    /// Where the variables lie, and with what they are filled at first.
    variables: Vec<(std::ops::Range<usize>, u8)>,
}

/// An operator, in the order of execution.
struct Compiled {
    op: BuiltinOp,
    /// Whether it does what the next one does, too.
    joined: bool,
    /// None where it has nothing to do.
    function: Option<Function>,
}

impl Compiled {
    const fn nothing(op: BuiltinOp) -> Self {
        Self {
            op,
            joined: false,
            function: None,
        }
    }
}

/// An input or output of the model.
enum Port<'m> {
    Arena(std::ops::Range<usize>),
    Constant(&'m [u8]),
}

impl<'m> Program<'m> {
    fn new(model: &Model<'m>, interpreter: &Interpreter<'_, 'm>) -> Result<Self, CodegenError> {
        let graph = Graph::new(model);
        let mut constants = Constants::default();
        let mut operators = Vec::new();
        let prepared: Vec<_> = graph.main.operators().zip(interpreter.prepared()).collect();
        for (index, (operator, of_operator)) in prepared.iter().enumerate() {
            let op = Graph::op(operator);
            // The one before has done it.
            let is_done = operators.last().is_some_and(|last: &Compiled| last.joined);
            if is_done || graph.is_nothing(operator) {
                operators.push(Compiled::nothing(op));
                continue;
            }
            let failed = |Problem(problem)| CodegenError::NotCompiled { index, op, problem };
            let mut names = registry::NAMED.iter();
            let name = names.find(|(_, row)| row.takes(&graph.main, operator));
            let name = name.map_or("", |(name, _)| *name);
            let output = operator.outputs().get(0);
            let next = prepared.get(index + 1).copied().filter(|(next, _)| {
                next.inputs().get(0) == output
                    && output.is_some_and(|output| graph.is_read_only_by(output, index + 1))
            });
            let mut step = Step {
                index,
                graph: &graph,
                model: model.bytes(),
                operator: *operator,
                prepared: *of_operator,
                next,
                joined: false,
                constants: &mut constants,
                function: Function::default(),
            };
            let emitted = operators::emit(name, &mut step).unwrap_or_else(|| {
                let problem = format!("there is no source for {op} on these types yet");
                Err(Problem(problem))
            });
            emitted.map_err(failed)?;
            operators.push(Compiled {
                op,
                joined: step.joined,
                function: Some(step.function),
            });
        }
        Ok(Self::placed(graph, constants, operators))
    }

    /// Lays out the arena.
    fn placed(graph: Graph<'m>, constants: Constants<'m>, operators: Vec<Compiled>) -> Self {
        let mut buffers: Vec<Buffer> = Vec::new();
        let mut of_tensor = std::collections::HashMap::new();
        let mut use_tensor = |buffers: &mut Vec<Buffer>, root: u32, at: usize| {
            let index = *of_tensor.entry(root).or_insert_with(|| {
                let len = graph.byte_len(ember_tflite::TensorId(root));
                buffers.push(Buffer {
                    len,
                    first: at,
                    last: at,
                });
                buffers.len() - 1
            });
            buffers[index].last = buffers[index].last.max(at);
            index
        };
        // Operator `index` is at `index + 1`: before the first one the inputs are written, after the last one the outputs read.
        let end = operators.len() + 1;
        let mut port = |buffers: &mut Vec<Buffer>, id: u32, at: usize| match graph
            .place(ember_tflite::TensorId(id))
        {
            Place::Arena(root) => Ok(use_tensor(buffers, root, at)),
            Place::Constant(data) => Err(data),
        };
        let inputs: Vec<_> = ids(graph.main.inputs())
            .map(|id| port(&mut buffers, id, 0))
            .collect();
        let mut variables = Vec::new();
        for (tensor, id) in graph.main.tensors().zip(0..) {
            // A variable carries its value from one run to the next.
            if tensor.is_variable()
                && let Ok(index) = port(&mut buffers, id, 0)
            {
                buffers[index].last = end;
                variables.push((index, initial_byte(&tensor)));
            }
        }
        let mut bound = Vec::new();
        for (operator, at) in operators.iter().zip(1..) {
            let bindings = operator
                .function
                .iter()
                .flat_map(|function| &function.bindings);
            let indices = bindings.map(|(_, bytes)| match *bytes {
                Bytes::Tensor(root) => port(&mut buffers, root, at).unwrap_or_default(),
                Bytes::Scratch(len) => {
                    buffers.push(Buffer {
                        len,
                        first: at,
                        last: at,
                    });
                    buffers.len() - 1
                }
                Bytes::State(len) => {
                    buffers.push(Buffer {
                        len,
                        first: 0,
                        last: end,
                    });
                    variables.push((buffers.len() - 1, 0));
                    buffers.len() - 1
                }
            });
            bound.push(indices.collect::<Vec<usize>>());
        }
        let outputs: Vec<_> = ids(graph.main.outputs())
            .map(|id| port(&mut buffers, id, end))
            .collect();
        let (ranges, arena_bytes) = arena::place(&buffers);
        let ports = |ports: Vec<Result<usize, &'m [u8]>>| {
            let place = |port: Result<usize, &'m [u8]>| match port {
                Ok(index) => Port::Arena(ranges[index].clone()),
                Err(data) => Port::Constant(data),
            };
            ports.into_iter().map(place).collect()
        };
        let places = bound
            .iter()
            .map(|indices| indices.iter().map(|index| ranges[*index].clone()).collect());
        let variables = variables.into_iter();
        let variables = variables.map(|(index, byte)| (ranges[index].clone(), byte));
        Self {
            variables: variables.collect(),
            places: places.collect(),
            inputs: ports(inputs),
            outputs: ports(outputs),
            graph,
            constants,
            operators,
            arena_bytes,
        }
    }
}
