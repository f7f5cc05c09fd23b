//! The arena over time: which tensor has which bytes while which operator runs.

use std::fmt::Write;

use ember_micro::plan::offsets_with;
use ember_micro::{ARENA_ALIGNMENT, Interpreter, PreparedOperators, called_by};
use ember_tflite::{Model, Subgraph, SubgraphId, TensorId, UNPLANNED};
use serde::Serialize;

use crate::{LiteError, MappedModel, names};

/// Where the tensors of a model lie in the arena, and when.
///
/// It is the planner's placement of activations. Tensors that need no room, because an operator does its work together with
/// the next one or gives its input another name, are those of what they share it with. What operators work in besides, what
/// they keep from run to run, and what the preparation keeps, lies around it: [`arena_bytes`](Self::arena_bytes) is all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArenaPlan {
    /// The main subgraph.
    pub main: SubgraphPlan,
    /// The subgraphs that operators call, once for each operator that does, every one behind its caller.
    pub called: Vec<SubgraphPlan>,
    /// The end of the last tensor, in bytes.
    pub activation_bytes: usize,
    /// Bytes of arena that a session needs in all.
    pub arena_bytes: usize,
}

/// A subgraph in the arena. One that is called lies behind all that is in use while its caller runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubgraphPlan {
    /// Its number: 0 is the main one.
    pub subgraph: u32,
    /// Who calls it, such as `operator 2 of subgraph 0, WHILE`; none for the main one.
    pub caller: Option<String>,
    /// The operators, in the order of execution.
    pub operators: Vec<String>,
    /// The tensors that lie in the arena, by offset.
    pub tensors: Vec<PlannedTensor>,
}

/// A tensor in the arena.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTensor {
    /// Its name, or its number.
    pub name: String,
    /// Where it begins among the activations, in bytes.
    pub offset: usize,
    /// Its bytes.
    pub bytes: usize,
    /// The first operator during which it is there.
    pub first: usize,
    /// The last one.
    pub last: usize,
}

impl ArenaPlan {
    /// The plan of a model.
    ///
    /// # Errors
    ///
    /// [`LiteError::Prepare`] when the runtime cannot run the model, or its own plan is wrong.
    pub fn of(mapped: &MappedModel) -> Result<ArenaPlan, LiteError> {
        let model = mapped.model()?;
        let refused = |source| LiteError::Prepare {
            model: mapped.name().to_owned(),
            source,
        };
        let offsets = offsets_with(&model, mapped.registry()).map_err(refused)?;
        let planned = |TensorId(id)| {
            let offset = offsets.get(id as usize).copied();
            let offset = offset.filter(|offset| *offset != UNPLANNED);
            offset.map(|offset| offset.unsigned_abs() as usize)
        };
        let main = SubgraphPlan::of(SubgraphId::MAIN, &model.main(), None, planned);
        let arena_bytes = mapped.arena_bytes()?;
        let mut called = Vec::new();
        if model.subgraphs().count() > 1 {
            let mut memory = vec![0; arena_bytes + ARENA_ALIGNMENT];
            let start = memory.as_ptr().align_offset(ARENA_ALIGNMENT);
            let arena = memory.get_mut(start..).unwrap_or_default();
            let interpreter = Interpreter::new(&model, mapped.registry(), arena);
            let interpreter = interpreter.map_err(refused)?;
            add_called(
                &model,
                SubgraphId::MAIN,
                interpreter.prepared(),
                &mut called,
            );
        }
        let graphs = [&main].into_iter().chain(&called);
        let tensors = graphs.flat_map(|graph| &graph.tensors);
        let ends = tensors.map(|tensor| tensor.offset + tensor.bytes);
        Ok(ArenaPlan {
            activation_bytes: ends.max().unwrap_or(0),
            main,
            called,
            arena_bytes,
        })
    }

    fn subgraphs(&self) -> impl Iterator<Item = &SubgraphPlan> {
        [&self.main].into_iter().chain(&self.called)
    }
}

/// Adds the subgraphs that these operators call. Calls are as deep as the runtime takes them, so this ends.
fn add_called(
    model: &Model<'_>,
    caller: SubgraphId,
    operators: PreparedOperators<'_>,
    plans: &mut Vec<SubgraphPlan>,
) {
    let Some(graph) = model.subgraph(caller) else {
        return;
    };
    for ((operator, prepared), index) in graph.operators().zip(operators).zip(0..) {
        for (id, own) in called_by(&operator).zip(prepared.called()) {
            let Some(called) = model.subgraph(id) else {
                continue;
            };
            let name = names::operator(&operator);
            let said = format!("operator {index} of subgraph {}, {name}", caller.0);
            let planned = |id| own.offset(id).map(|offset| offset as usize);
            plans.push(SubgraphPlan::of(id, &called, Some(said), planned));
            add_called(model, id, own, plans);
        }
    }
}

impl SubgraphPlan {
    /// `planned` says where a tensor begins.
    fn of(
        id: SubgraphId,
        graph: &Subgraph<'_>,
        caller: Option<String>,
        planned: impl Fn(TensorId) -> Option<usize>,
    ) -> SubgraphPlan {
        let operators: Vec<String> = graph.operators().map(|op| names::operator(&op)).collect();
        let end = operators.len().saturating_sub(1);
        let mut lives: Vec<Option<[usize; 2]>> = vec![None; graph.tensor_count()];
        let mut live = |id: TensorId, at: usize| {
            if let Some(life) = lives.get_mut(id.0 as usize) {
                let [first, last] = life.unwrap_or([at, at]);
                *life = Some([first.min(at), last.max(at)]);
            }
        };
        for id in graph.inputs().iter().flatten() {
            live(id, 0);
        }
        for (at, operator) in graph.operators().enumerate() {
            let (inputs, outputs) = (operator.inputs(), operator.outputs());
            for id in inputs.iter().chain(outputs.iter()).flatten() {
                live(id, at);
            }
        }
        for id in graph.outputs().iter().flatten() {
            live(id, end);
        }
        let mut tensors = Vec::new();
        for (tensor, id) in graph.tensors().zip(0..) {
            let life = lives.get(id as usize).copied().flatten();
            let (Some([mut first, mut last]), Some(offset)) = (life, planned(TensorId(id))) else {
                continue;
            };
            if tensor.is_variable() {
                (first, last) = (0, end);
            }
            tensors.push(PlannedTensor {
                name: names::tensor(TensorId(id), &tensor),
                offset,
                bytes: tensor.byte_len(),
                first,
                last,
            });
        }
        tensors.sort_by_key(|tensor| (tensor.offset, tensor.first));
        SubgraphPlan {
            subgraph: id.0,
            caller,
            operators,
            tensors,
        }
    }

    /// Bytes of the tensors that are there while operator `index` runs; those of one place count once.
    #[must_use]
    pub fn bytes_during(&self, index: usize) -> usize {
        let mut end = 0;
        let mut bytes = 0;
        // By offset, so that what overlaps follows what it overlaps with.
        for tensor in &self.tensors {
            if (tensor.first..=tensor.last).contains(&index) {
                let stop = tensor.offset + tensor.bytes;
                bytes += stop.saturating_sub(tensor.offset.max(end));
                end = end.max(stop);
            }
        }
        bytes
    }

    /// A line per operator, in which a character stands for `unit` of `all` bytes; below, what the characters mean.
    fn write(&self, text: &mut String, unit: usize, all: usize) {
        // A String takes whatever is written.
        if let Some(caller) = &self.caller {
            let _ = writeln!(text, "subgraph {}, called by {caller}", self.subgraph);
        }
        let title = self.operators.iter().map(String::len).max().unwrap_or(0);
        for (at, operator) in self.operators.iter().enumerate() {
            let mut line = vec!['.'; all.div_ceil(unit)];
            for (number, tensor) in self.tensors.iter().enumerate() {
                if (tensor.first..=tensor.last).contains(&at) {
                    let from = tensor.offset / unit;
                    let to = (tensor.offset + tensor.bytes).div_ceil(unit);
                    line.iter_mut()
                        .take(to)
                        .skip(from)
                        .for_each(|place| *place = mark(number));
                }
            }
            let line: String = line.into_iter().collect();
            let bytes = self.bytes_during(at);
            let _ = writeln!(text, "{at:>3} {operator:<title$} |{line}| {bytes}");
        }
        for (number, tensor) in self.tensors.iter().enumerate() {
            let PlannedTensor {
                name,
                offset,
                bytes,
                first,
                last,
            } = tensor;
            let mark = mark(number);
            let _ = writeln!(
                text,
                "{mark} {offset:>8} + {bytes:<8} operators {first}-{last}  {name}"
            );
        }
    }
}

impl ArenaPlan {
    /// The plan as text: a line per operator, in which each character stands for the same number of bytes and shows the tensor
    /// that has them; below, what the characters mean; then the same for each subgraph that operators call. `width` characters
    /// are the whole arena of activations.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let unit = self.activation_bytes.div_ceil(width.max(1)).max(1);
        let mut text = format!(
            "arena {} bytes, of which activations {} bytes; a character is {unit} bytes\n",
            self.arena_bytes, self.activation_bytes
        );
        for subgraph in self.subgraphs() {
            subgraph.write(&mut text, unit, self.activation_bytes);
        }
        text
    }

    /// The plan as a drawing: time goes to the right, an operator a column; up are the arena's bytes; each tensor is a box with
    /// its name and bytes as a tooltip. Behind the main subgraph, and a gap, stand those that operators call.
    #[must_use]
    pub fn to_svg(&self) -> String {
        const COLUMN: usize = 48;
        const HEIGHT: usize = 400;
        const LEGEND: usize = 140;
        const LEFT: usize = 70;
        let columns = self.subgraphs().map(|graph| graph.operators.len().max(1));
        let columns = columns.sum::<usize>() + self.called.len();
        let (width, height) = (LEFT + columns * COLUMN + 10, HEIGHT + LEGEND);
        let all = self.activation_bytes.max(1) as f64;
        let scale = |bytes: usize| bytes as f64 / all * HEIGHT as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n"
        );
        // A String takes whatever is written.
        let mut left = LEFT;
        for subgraph in self.subgraphs() {
            for (number, tensor) in subgraph.tensors.iter().enumerate() {
                let x = left + tensor.first * COLUMN;
                let across = (tensor.last - tensor.first + 1) * COLUMN;
                let up = scale(tensor.bytes);
                let y = HEIGHT as f64 - scale(tensor.offset) - up;
                let hue = number * 67 % 360;
                let name = escaped(&tensor.name);
                let _ = writeln!(
                    svg,
                    "  <rect x=\"{x}\" y=\"{y:.1}\" width=\"{across}\" height=\"{up:.1}\" fill=\"hsl({hue}, 60%, 70%)\" \
                     stroke=\"black\"><title>{name}: {} bytes at {}</title></rect>",
                    tensor.bytes, tensor.offset
                );
            }
            for (at, operator) in subgraph.operators.iter().enumerate() {
                let x = left + at * COLUMN + COLUMN / 2;
                let y = HEIGHT + 12;
                let operator = escaped(operator);
                let _ = writeln!(
                    svg,
                    "  <text x=\"{x}\" y=\"{y}\" transform=\"rotate(60 {x} {y})\">{operator}</text>"
                );
            }
            if let Some(caller) = &subgraph.caller {
                let y = HEIGHT + LEGEND - 6;
                let (number, caller) = (subgraph.subgraph, escaped(caller));
                let _ = writeln!(
                    svg,
                    "  <text x=\"{left}\" y=\"{y}\">subgraph {number}<title>{caller}</title></text>"
                );
            }
            left += (subgraph.operators.len().max(1) + 1) * COLUMN;
        }
        for (bytes, y) in [(self.activation_bytes, 11), (0, HEIGHT)] {
            let _ = writeln!(
                svg,
                "  <text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{bytes}</text>",
                LEFT - 6
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The character of a tensor, over and over where there are many.
fn mark(number: usize) -> char {
    const MARKS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char::from(MARKS[number % MARKS.len()])
}

/// Text of an XML document.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
