//! Operators that call subgraphs or use resource variables: IF, WHILE, CALL_ONCE, READ_VARIABLE and ASSIGN_VARIABLE.
//!
//! A subgraph is one function, whoever calls it. As in the interpreter, its inputs are copied in and its outputs out.

use ember_core::BuiltinOp;
use ember_micro::ops::control_flow::{CallOnce, ROUNDS};
use ember_micro::{PreparedOperator, called_by};
use ember_tflite::{Operator, SubgraphId, TensorId};

use super::constants::{Constants, Element};
use super::graph::{Graph, Place, ids};
use super::layout::Layout;
use super::step::Problem;

/// The names in [`ember_micro::registry`] of the kernels that become a [`Flow`].
pub(super) const NAMES: [&str; 5] = [
    "IF",
    "WHILE",
    "CALL_ONCE",
    "READ_VARIABLE",
    "ASSIGN_VARIABLE",
];

/// What such an operator does.
pub(super) enum Flow {
    If {
        condition: Word,
        then: Call,
        otherwise: Call,
    },
    While {
        /// The outputs begin as the inputs.
        start: Vec<Copy>,
        condition: Call,
        /// What the first subgraph says.
        goes_on: Word,
        body: Call,
    },
    CallOnce {
        part: usize,
        /// Under which number it is kept that it has called.
        note: u32,
    },
    Read {
        handle: Word,
        to: Spot,
    },
    Assign {
        handle: Word,
        from: Source,
    },
}

/// Bytes of a tensor in the arena: the part that has it, and the tensor whose bytes these are.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    part: usize,
    root: u32,
}

/// What is copied.
pub(super) enum Source {
    Arena(Spot),
    /// An expression for the bytes.
    Constant(String),
}

/// A truth value or a handle.
#[derive(Clone, Copy)]
pub(super) enum Word {
    Arena(Spot),
    Constant(u32),
}

/// A tensor's bytes go to another one.
pub(super) struct Copy {
    from: Source,
    to: Spot,
}

/// A call of a subgraph.
pub(super) struct Call {
    part: usize,
    /// Its inputs.
    fill: Vec<Copy>,
    /// Its outputs.
    empty: Vec<Copy>,
}

/// What turns an operator into a [`Flow`].
pub(super) struct Reader<'r, 'm> {
    /// Of all parts; the one with the operator is number `part`.
    pub(super) graphs: &'r [Graph<'m>],
    pub(super) part: usize,
    pub(super) constants: &'r mut Constants<'m>,
}

impl Reader<'_, '_> {
    /// What the operator does, if it is one of [`NAMES`].
    pub(super) fn read(
        &mut self,
        operator: &Operator<'_>,
        prepared: &PreparedOperator<'_>,
    ) -> Result<Option<Flow>, Problem> {
        let inputs: Vec<u32> = ids(operator.inputs()).collect();
        let outputs: Vec<u32> = ids(operator.outputs()).collect();
        let mut called = Vec::new();
        for id in called_by(operator) {
            called.push(self.part_of(id)?);
        }
        let flow = match (operator.builtin(), &inputs[..], &called[..]) {
            (Some(BuiltinOp::If), [condition, inputs @ ..], &[then, otherwise]) => Flow::If {
                condition: self.word(self.part, *condition),
                then: self.call(then, inputs, &outputs)?,
                otherwise: self.call(otherwise, inputs, &outputs)?,
            },
            (Some(BuiltinOp::While), inputs, &[condition, body]) => {
                let pairs = inputs.iter().zip(&outputs);
                let start = pairs.map(|(from, to)| self.copy((self.part, *from), (self.part, *to)));
                let start = start.collect::<Result<_, _>>()?;
                let goes_on = ids(self.graphs[condition].subgraph.outputs()).next();
                let goes_on = goes_on.ok_or_else(|| unfit("output"))?;
                Flow::While {
                    start,
                    condition: self.call(condition, &outputs, &[])?,
                    goes_on: self.word(condition, goes_on),
                    body: self.call(body, &outputs, &outputs)?,
                }
            }
            (Some(BuiltinOp::CallOnce), [], &[part]) => {
                let (once, _) = prepared.of::<CallOnce>().ok_or_else(|| unfit("kernel"))?;
                let note = once.note;
                Flow::CallOnce { part, note }
            }
            (Some(BuiltinOp::ReadVariable), [handle], []) => {
                let output = outputs.first().ok_or_else(|| unfit("output"))?;
                Flow::Read {
                    handle: self.word(self.part, *handle),
                    to: self.spot(self.part, *output)?,
                }
            }
            (Some(BuiltinOp::AssignVariable), [handle, value], []) => Flow::Assign {
                handle: self.word(self.part, *handle),
                from: self.source(self.part, *value),
            },
            _ => return Ok(None),
        };
        Ok(Some(flow))
    }

    fn part_of(&self, id: SubgraphId) -> Result<usize, Problem> {
        let part = self.graphs.iter().position(|graph| graph.id == id);
        part.ok_or_else(|| unfit("subgraph"))
    }

    /// A call on these tensors. A condition's output is looked at and not copied: then there are no `outputs`.
    fn call(&mut self, called: usize, inputs: &[u32], outputs: &[u32]) -> Result<Call, Problem> {
        let part = self.part;
        let own_inputs: Vec<u32> = ids(self.graphs[called].subgraph.inputs()).collect();
        let own_outputs: Vec<u32> = ids(self.graphs[called].subgraph.outputs()).collect();
        let fill = inputs.iter().zip(own_inputs);
        let fill = fill.map(|(from, to)| self.copy((part, *from), (called, to)));
        let fill = fill.collect::<Result<_, _>>()?;
        let empty = own_outputs.into_iter().zip(outputs);
        let empty = empty.map(|(from, to)| self.copy((called, from), (part, *to)));
        Ok(Call {
            part: called,
            fill,
            empty: empty.collect::<Result<_, _>>()?,
        })
    }

    /// A copy from one tensor to another, each with its part.
    fn copy(&mut self, from: (usize, u32), to: (usize, u32)) -> Result<Copy, Problem> {
        Ok(Copy {
            from: self.source(from.0, from.1),
            to: self.spot(to.0, to.1)?,
        })
    }

    fn spot(&self, part: usize, id: u32) -> Result<Spot, Problem> {
        match self.graphs[part].place(TensorId(id)) {
            Place::Arena(root) => Ok(Spot { part, root }),
            Place::Constant(_) => Err(unfit("constant that is written to")),
        }
    }

    fn source(&mut self, part: usize, id: u32) -> Source {
        let graph = &self.graphs[part];
        let data = match graph.place(TensorId(id)) {
            Place::Arena(root) => return Source::Arena(Spot { part, root }),
            Place::Constant(data) => data,
        };
        let item = format!("{}TENSOR_{id}", graph.prefix().to_uppercase());
        let what = format!("tensor {id} of subgraph {}", graph.id.0);
        Source::Constant(self.constants.tensor(&item, &what, data, Element::U8))
    }

    fn word(&self, part: usize, id: u32) -> Word {
        match self.graphs[part].place(TensorId(id)) {
            Place::Arena(root) => Word::Arena(Spot { part, root }),
            Place::Constant(data) => {
                let mut word = [0; 4];
                for (byte, own) in word.iter_mut().zip(data) {
                    *byte = *own;
                }
                Word::Constant(u32::from_le_bytes(word))
            }
        }
    }
}

/// What a checked and prepared model does not have.
fn unfit(what: &str) -> Problem {
    Problem(format!("its {what} is not as it was prepared"))
}

impl Flow {
    /// The parts that it calls.
    pub(super) fn called(&self) -> Vec<usize> {
        match self {
            Self::If {
                then, otherwise, ..
            } => vec![then.part, otherwise.part],
            Self::While {
                condition, body, ..
            } => vec![condition.part, body.part],
            Self::CallOnce { part, .. } => vec![*part],
            Self::Read { .. } | Self::Assign { .. } => Vec::new(),
        }
    }

    /// Whether it looks a handle up.
    pub(super) const fn has_handle(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Assign { .. })
    }

    /// Its statements, the last one an expression of type `Result<(), KernelError>`.
    pub(super) fn lines(&self, graphs: &[&Graph<'_>], layout: &Layout) -> Vec<String> {
        let mut text = Lines {
            lines: Vec::new(),
            indent: 0,
            graphs,
            layout,
        };
        match self {
            Self::If {
                condition,
                then,
                otherwise,
            } => {
                let holds = text.truth(*condition);
                text.line(&format!("if {holds} {{"));
                text.indented(|text| text.call(then));
                text.line("} else {");
                text.indented(|text| text.call(otherwise));
                text.line("}");
                text.line("Ok(())");
            }
            Self::While {
                start,
                condition,
                goes_on,
                body,
            } => {
                text.copies(start);
                text.line(&format!("for round in 0..={ROUNDS} {{"));
                text.indented(|text| {
                    text.call(condition);
                    let holds = text.truth(*goes_on);
                    text.line(&format!("if !{holds} {{"));
                    text.indented(|text| text.line("return Ok(());"));
                    text.line("}");
                    // The condition is asked once more than the body runs.
                    text.line(&format!("if round < {ROUNDS} {{"));
                    text.indented(|text| text.call(body));
                    text.line("}");
                });
                text.line("}");
                text.line(&format!("Err(KernelError::Endless({ROUNDS}))"));
            }
            Self::CallOnce { part, note } => {
                let note = layout.kept(*note);
                text.line(&format!("if self.arena.holds({})? {{", note.start));
                text.indented(|text| text.line("return Ok(());"));
                text.line("}");
                text.run(*part);
                text.line(&format!("self.arena.write(&[1], {note:?})"));
            }
            Self::Read { handle, to } => {
                let handle = text.handle(*handle);
                text.line(&format!("let variable = variable({handle})?;"));
                let to = text.place(*to);
                text.line(&format!("self.arena.copy(variable, {to})"));
            }
            Self::Assign { handle, from } => {
                let handle = text.handle(*handle);
                text.line(&format!("let variable = variable({handle})?;"));
                let copy = text.copy(from, "variable");
                text.line(&copy);
            }
        }
        text.lines
    }
}

/// Statements on their way.
struct Lines<'l, 'm> {
    lines: Vec<String>,
    indent: usize,
    graphs: &'l [&'l Graph<'m>],
    layout: &'l Layout,
}

impl Lines<'_, '_> {
    fn line(&mut self, line: &str) {
        let indent = self.indent;
        self.lines.push(format!("{:indent$}{line}", ""));
    }

    fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 4;
        write(self);
        self.indent -= 4;
    }

    fn place(&self, Spot { part, root }: Spot) -> String {
        format!("{:?}", self.layout.tensor(part, root))
    }

    fn start(&self, Spot { part, root }: Spot) -> usize {
        self.layout.tensor(part, root).start
    }

    /// Whether a truth value holds: its first byte says it.
    fn truth(&self, word: Word) -> String {
        match word {
            Word::Arena(spot) => format!("self.arena.holds({})?", self.start(spot)),
            Word::Constant(word) => (word & 0xff != 0).to_string(),
        }
    }

    fn handle(&self, word: Word) -> String {
        match word {
            Word::Arena(spot) => format!("self.arena.handle({})?", self.start(spot)),
            Word::Constant(word) => word.to_string(),
        }
    }

    fn copy(&self, from: &Source, to: &str) -> String {
        match from {
            Source::Arena(spot) => format!("self.arena.copy({}, {to})", self.place(*spot)),
            Source::Constant(name) => format!("self.arena.write({name}, {to})"),
        }
    }

    fn copies(&mut self, copies: &[Copy]) {
        for Copy { from, to } in copies {
            let copy = self.copy(from, &self.place(*to));
            self.line(&format!("{copy}?;"));
        }
    }

    fn run(&mut self, part: usize) {
        let prefix = self.graphs[part].prefix();
        self.line(&format!("self.{}()?;", prefix.trim_end_matches('_')));
    }

    fn call(&mut self, Call { part, fill, empty }: &Call) {
        self.copies(fill);
        self.run(*part);
        self.copies(empty);
    }
}
