//! A model compiled to Rust: no interpreter, no file format, every number known when the firmware is built.
//!
//! [`source`] turns a `.tflite` file into one module. Its `Model` holds the memory of all tensors, which is its only state, and
//! has a function per operator that calls the kernel of `ember-kernels` with constant shapes and multipliers, and one per subgraph
//! that operators call. Outputs equal those of [`Interpreter`] to the byte: the numbers come from its own preparation.
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
mod flow;
mod graph;
pub mod host;
mod layout;
mod names;
mod operators;
mod render;
mod step;
mod text;

use std::collections::{BTreeMap, VecDeque};

use ember_core::BuiltinOp;
use ember_micro::ops::{control_flow::CallOnce, variables};
use ember_micro::{
    ARENA_ALIGNMENT, Interpreter, PreparedOperator, PreparedOperators, arena_bytes_needed,
    called_by, registry,
};
use ember_tflite::{Model, Operator, SubgraphId};

use crate::CodegenError;
use constants::Constants;
use flow::Flow;
use graph::Graph;
use layout::{Kept, Layout};
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
    let mut names = operators::names().chain(flow::NAMES);
    names.any(|own| own == kernel)
}

/// A model whose operators have become functions.
struct Program<'m> {
    /// The main subgraph, and behind it those that are called.
    parts: Vec<Part<'m>>,
    constants: Constants<'m>,
    /// What operators keep from run to run, by the number that the interpreter has for it.
    kept: BTreeMap<u32, Kept>,
    layout: Layout,
}

/// A subgraph.
struct Part<'m> {
    graph: Graph<'m>,
    operators: Vec<Compiled>,
}

/// An operator, in the order of execution.
struct Compiled {
    op: BuiltinOp,
    /// Whether it does what the next one does, too.
    joined: bool,
    work: Work,
}

/// What an operator becomes.
enum Work {
    Nothing,
    /// The call of a kernel.
    Kernel(Function),
    /// What calls subgraphs or uses variables.
    Flow(Flow),
}

impl<'m> Program<'m> {
    fn new(model: &Model<'m>, interpreter: &Interpreter<'_, 'm>) -> Result<Self, CodegenError> {
        let (graphs, prepared) = subgraphs(model, interpreter.prepared());
        let mut compiler = Compiler {
            model,
            constants: Constants::default(),
            kept: BTreeMap::new(),
        };
        let mut operators = Vec::new();
        for (part, prepared) in prepared.iter().enumerate() {
            operators.push(compiler.part(&graphs, part, prepared)?);
        }
        let parts = graphs.into_iter().zip(operators);
        let parts: Vec<Part<'m>> = parts
            .map(|(graph, operators)| Part { graph, operators })
            .collect();
        Ok(Self {
            layout: Layout::new(&parts, &compiler.kept),
            parts,
            constants: compiler.constants,
            kept: compiler.kept,
        })
    }

    fn main(&self) -> &Part<'m> {
        &self.parts[0]
    }
}

/// The main subgraph and those that are called, each once, with what was prepared for the operators.
fn subgraphs<'i, 'm>(
    model: &Model<'m>,
    main: PreparedOperators<'i>,
) -> (Vec<Graph<'m>>, Vec<Vec<PreparedOperator<'i>>>) {
    let (mut graphs, mut prepared) = (Vec::<Graph<'m>>::new(), Vec::new());
    let mut next = VecDeque::from([(SubgraphId::MAIN, main)]);
    while let Some((id, operators)) = next.pop_front() {
        let subgraph = model.subgraph(id);
        let is_new = graphs.iter().all(|graph| graph.id != id);
        let Some(subgraph) = subgraph.filter(|_| is_new) else {
            continue;
        };
        let operators: Vec<PreparedOperator<'i>> = operators.collect();
        for (operator, of_operator) in subgraph.operators().zip(&operators) {
            next.extend(called_by(&operator).zip(of_operator.called()));
        }
        graphs.push(Graph::new(id, subgraph));
        prepared.push(operators);
    }
    (graphs, prepared)
}

/// What all subgraphs have together while they are compiled.
struct Compiler<'p, 'm> {
    model: &'p Model<'m>,
    constants: Constants<'m>,
    kept: BTreeMap<u32, Kept>,
}

impl<'m> Compiler<'_, 'm> {
    /// The operators of a part.
    fn part(
        &mut self,
        graphs: &[Graph<'m>],
        part: usize,
        prepared: &[PreparedOperator<'_>],
    ) -> Result<Vec<Compiled>, CodegenError> {
        let graph = &graphs[part];
        let mut operators: Vec<Compiled> = Vec::new();
        let all: Vec<_> = graph
            .subgraph
            .operators()
            .zip(prepared.iter().copied())
            .collect();
        for (index, (operator, of_operator)) in all.iter().enumerate() {
            let op = Graph::op(operator);
            let failed = |Problem(problem)| CodegenError::NotCompiled {
                subgraph: graph.id.0,
                index,
                op,
                problem,
            };
            // The one before has done it.
            let is_done = operators.last().is_some_and(|last| last.joined);
            if is_done || graph.is_nothing(operator) {
                operators.push(Compiled {
                    op,
                    joined: false,
                    work: Work::Nothing,
                });
                continue;
            }
            self.keep(operator, of_operator);
            let mut reader = flow::Reader {
                graphs,
                part,
                constants: &mut self.constants,
            };
            if let Some(flow) = reader.read(operator, of_operator).map_err(failed)? {
                operators.push(Compiled {
                    op,
                    joined: false,
                    work: Work::Flow(flow),
                });
                continue;
            }
            let mut names = registry::NAMED.iter();
            let name = names.find(|(_, row)| row.takes(&graph.subgraph, operator));
            let name = name.map_or("", |(name, _)| *name);
            let output = operator.outputs().get(0);
            let next = all.get(index + 1).copied().filter(|(next, _)| {
                next.inputs().get(0) == output
                    && output.is_some_and(|output| graph.is_read_only_by(output, index + 1))
            });
            let mut step = Step {
                index,
                graph,
                model: self.model.bytes(),
                operator: *operator,
                prepared: *of_operator,
                next,
                joined: false,
                constants: &mut self.constants,
                function: Function::default(),
            };
            let emitted = operators::emit(name, &mut step).unwrap_or_else(|| {
                let problem = format!("there is no source for {op} on these types yet");
                Err(Problem(problem))
            });
            emitted.map_err(failed)?;
            let mut bindings = step.function.bindings.iter();
            if part > 0 && bindings.any(|(_, bytes)| matches!(bytes, Bytes::State(_))) {
                let problem = format!(
                    "what {op} keeps from run to run has a place in the main subgraph only"
                );
                return Err(failed(Problem(problem)));
            }
            operators.push(Compiled {
                op,
                joined: step.joined,
                work: Work::Kernel(step.function),
            });
        }
        Ok(operators)
    }

    /// Notes what an operator keeps from run to run.
    fn keep(&mut self, operator: &Operator<'_>, prepared: &PreparedOperator<'_>) {
        if let Some((variable, _)) = prepared.of::<variables::Handle>() {
            let (_, name) = operator.variable().unwrap_or_default();
            let kept = Kept {
                len: variable.len as usize,
                filler: variable.filler as u8,
                name: Some(String::from_utf8_lossy(name).into_owned()),
            };
            self.kept.insert(variable.from_end, kept);
        } else if let Some((once, _)) = prepared.of::<CallOnce>() {
            let kept = Kept {
                len: 1,
                filler: 0,
                name: None,
            };
            self.kept.insert(once.note, kept);
        }
    }
}
