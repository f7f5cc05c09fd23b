//! The arena over time: which tensor has which bytes while which operator runs.

use std::fmt::Write;

use ember_micro::plan::offsets_with;
use ember_tflite::{TensorId, UNPLANNED};

use crate::{LiteError, MappedModel, names};

/// Where the tensors of a model lie in the arena, and when.
///
/// It is the planner's placement of activations. Tensors that need no room, because an operator does its work together with
/// the next one or gives its input another name, are those of what they share it with. What operators work in besides, and
/// what the preparation keeps, lies around it: [`arena_bytes`](Self::arena_bytes) is all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ArenaPlan {
    /// The operators, in the order of execution.
    pub operators: Vec<String>,
    /// The tensors that lie in the arena, by offset.
    pub tensors: Vec<PlannedTensor>,
    /// The end of the last of them, in bytes.
    pub activation_bytes: usize,
    /// Bytes of arena that a session needs in all.
    pub arena_bytes: usize,
}

/// A tensor in the arena.
#[derive(Debug, Clone, PartialEq)]
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
        let graph = model.main();
        let offsets =
            offsets_with(&model, mapped.registry()).map_err(|source| LiteError::Prepare {
                model: mapped.name().to_owned(),
                source,
            })?;
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
        for ((tensor, offset), id) in graph.tensors().zip(&offsets).zip(0..) {
            let Some([mut first, mut last]) = lives.get(id as usize).copied().flatten() else {
                continue;
            };
            if *offset == UNPLANNED {
                continue;
            }
            if tensor.is_variable() {
                (first, last) = (0, end);
            }
            tensors.push(PlannedTensor {
                name: names::tensor(TensorId(id), &tensor),
                offset: offset.unsigned_abs() as usize,
                bytes: tensor.byte_len(),
                first,
                last,
            });
        }
        tensors.sort_by_key(|tensor| (tensor.offset, tensor.first));
        Ok(ArenaPlan {
            operators,
            activation_bytes: tensors
                .iter()
                .map(|tensor| tensor.offset + tensor.bytes)
                .max()
                .unwrap_or(0),
            tensors,
            arena_bytes: mapped.arena_bytes()?,
        })
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

    /// The plan as text: a line per operator, in which each character stands for the same number of bytes and shows the tensor
    /// that has them; below, what the characters mean. `width` characters are the whole arena of activations.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let width = width.max(1);
        let unit = self.activation_bytes.div_ceil(width).max(1);
        let mut text = format!(
            "arena {} bytes, of which activations {} bytes; a character is {unit} bytes\n",
            self.arena_bytes, self.activation_bytes
        );
        let title = self.operators.iter().map(String::len).max().unwrap_or(0);
        for (at, operator) in self.operators.iter().enumerate() {
            let mut line = vec!['.'; self.activation_bytes.div_ceil(unit)];
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
            // A String takes whatever is written.
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
        text
    }

    /// The plan as a drawing: time goes to the right, an operator a column; up are the arena's bytes; each tensor is a box with
    /// its name and bytes as a tooltip.
    #[must_use]
    pub fn to_svg(&self) -> String {
        const COLUMN: usize = 48;
        const HEIGHT: usize = 400;
        const LEGEND: usize = 140;
        const LEFT: usize = 70;
        let columns = self.operators.len().max(1);
        let (width, height) = (LEFT + columns * COLUMN + 10, HEIGHT + LEGEND);
        let all = self.activation_bytes.max(1) as f64;
        let scale = |bytes: usize| bytes as f64 / all * HEIGHT as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n"
        );
        // A String takes whatever is written.
        for (number, tensor) in self.tensors.iter().enumerate() {
            let x = LEFT + tensor.first * COLUMN;
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
        for (at, operator) in self.operators.iter().enumerate() {
            let x = LEFT + at * COLUMN + COLUMN / 2;
            let y = HEIGHT + 12;
            let operator = escaped(operator);
            let _ = writeln!(
                svg,
                "  <text x=\"{x}\" y=\"{y}\" transform=\"rotate(60 {x} {y})\">{operator}</text>"
            );
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
