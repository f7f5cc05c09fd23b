//! One operator on its way to source: what its emitter asks for and what it writes.

use ember_core::{QuantizedMultiplier, view};
use ember_micro::{Kernel, PreparedOperator};
use ember_tflite::{Operator, SubgraphId, TensorId};

use super::constants::{Constants, Element};
use super::graph::{Graph, Place};
use super::text::broken;

/// Why an operator cannot be compiled.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

/// Bytes of the arena that an operator uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// Those of this tensor.
    Tensor(u32),
    /// So many, while it runs.
    Scratch(usize),
    /// So many that keep what it writes from run to run, zero at first.
    State(usize),
}

/// What an operator becomes.
#[derive(Debug, Default)]
pub(super) struct Function {
    /// Its constants, items of the module.
    pub(super) items: String,
    /// The names of what it uses of the arena.
    pub(super) bindings: Vec<(String, Bytes)>,
    /// Statements, the last one an expression of type `Result<(), KernelError>`.
    pub(super) body: Vec<String>,
}

/// What an emitter sees of an operator.
pub(super) struct Step<'s, 'm> {
    /// Its number in the order of execution, in its subgraph.
    pub(super) index: usize,
    pub(super) graph: &'s Graph<'m>,
    pub(super) model: &'m [u8],
    pub(super) operator: Operator<'m>,
    pub(super) prepared: PreparedOperator<'s>,
    /// The operator behind it, if that alone reads its output.
    pub(super) next: Option<(Operator<'m>, PreparedOperator<'s>)>,
    /// Whether it does what the operator behind it does, too.
    pub(super) joined: bool,
    pub(super) constants: &'s mut Constants<'m>,
    pub(super) function: Function,
}

impl<'m> Step<'_, 'm> {
    /// The name of a constant of it: `CONV_2D_0_FILTER`.
    pub(super) fn constant_name(&self, suffix: &str) -> String {
        let name = self.graph.name(Graph::op(&self.operator), self.index);
        let name = name.to_uppercase();
        if suffix.is_empty() {
            name
        } else {
            format!("{name}_{suffix}")
        }
    }

    /// What kernel `K` prepared, and the words that it kept.
    pub(super) fn prepared<K: Kernel>(&self) -> Result<(K::Prepared, Vec<u32>), Problem> {
        let (prepared, kept) = self.prepared.of::<K>().ok_or_else(|| {
            Problem(format!(
                "it was prepared by {:?}",
                self.prepared.registration.code
            ))
        })?;
        Ok((*prepared, kept.to_vec()))
    }

    /// The input at `at`, which is there, as an expression.
    pub(super) fn input(
        &mut self,
        at: usize,
        name: &str,
        element: Element,
    ) -> Result<String, Problem> {
        let id = self.operator.inputs().get(at);
        let id = id.ok_or_else(|| Problem(format!("its input {at} is left out")))?;
        Ok(self.read(id, name, element))
    }

    /// The input at `at`, if there is one: its expression, and whether that is a constant.
    pub(super) fn optional_input(
        &mut self,
        at: usize,
        name: &str,
        element: Element,
    ) -> Option<(String, bool)> {
        let id = self.operator.inputs().get(at)?;
        let constant = matches!(self.graph.place(id), Place::Constant(_));
        Some((self.read(id, name, element), constant))
    }

    fn read(&mut self, id: TensorId, name: &str, element: Element) -> String {
        match self.graph.place(id) {
            Place::Constant(data) => self.data(name, data, element),
            Place::Arena(root) => {
                let name = self.bind(name, Bytes::Tensor(root));
                match element {
                    Element::U8 => name,
                    _ => format!("elements::<{}>({name})?", element.name()),
                }
            }
        }
    }

    /// The input at `at` in elements of its own type, as an expression.
    pub(super) fn own_input(&mut self, at: usize, name: &str) -> Result<String, Problem> {
        self.input(at, name, self.own_element(at))
    }

    /// What the input at `at` consists of.
    pub(super) fn own_element(&self, at: usize) -> Element {
        element(self.graph, self.operator.inputs().get(at))
    }

    /// The elements of the variable at `at`, an input that is written to, as an expression.
    pub(super) fn variable(&mut self, at: usize, name: &str) -> Result<String, Problem> {
        let id = self.operator.inputs().get(at);
        let element = element(self.graph, id);
        let name = self.written(id, name)?;
        Ok(format!("elements_mut::<{}>({name})?", element.name()))
    }

    /// The output as an expression.
    pub(super) fn output(&mut self, element: Element) -> Result<String, Problem> {
        let name = self.output_bytes()?;
        Ok(match element {
            Element::U8 => name,
            _ => format!("elements_mut::<{}>({name})?", element.name()),
        })
    }

    /// The output in elements of its own type, as an expression.
    pub(super) fn own_output(&mut self) -> Result<String, Problem> {
        let element = element(self.graph, self.operator.outputs().get(0));
        self.output(element)
    }

    /// The output's bytes as an expression.
    pub(super) fn output_bytes(&mut self) -> Result<String, Problem> {
        let last = match &self.next {
            Some((next, _)) if self.joined => next,
            _ => &self.operator,
        };
        self.written(last.outputs().get(0), "output")
    }

    /// The bytes of the output at `at`, of an operator with several, as an expression.
    pub(super) fn output_at(&mut self, at: usize) -> Result<String, Problem> {
        self.written(self.operator.outputs().get(at), &format!("output{at}"))
    }

    fn written(&mut self, id: Option<TensorId>, name: &str) -> Result<String, Problem> {
        match id.map(|id| self.graph.place(id)) {
            Some(Place::Arena(root)) => Ok(self.bind(name, Bytes::Tensor(root))),
            _ => Err(Problem(
                "what it writes to is a constant of the file".to_owned(),
            )),
        }
    }

    /// So many bytes to work in, as the name of a `&mut [i8]`.
    pub(super) fn scratch(&mut self, bytes: u32) -> String {
        self.room(bytes as usize, "i8")
    }

    /// So many words to work in, as the name of a `&mut [u32]`.
    pub(super) fn scratch_words(&mut self, words: u32) -> String {
        self.room(words as usize * size_of::<u32>(), "u32")
    }

    fn room(&mut self, bytes: usize, of: &str) -> String {
        let name = self.bind("scratch", Bytes::Scratch(bytes));
        self.statement(format!("let {name} = elements_mut::<{of}>({name})?;"));
        name
    }

    /// So many bytes to work in under a name of their own, of an operator that needs several.
    pub(super) fn room_for(&mut self, name: &str, bytes: u32) -> String {
        self.bind(name, Bytes::Scratch(bytes as usize))
    }

    /// So many bytes under a name of their own that keep what is written from run to run, zero at first.
    pub(super) fn kept(&mut self, name: &str, bytes: usize) -> String {
        self.bind(name, Bytes::State(bytes))
    }

    /// An expression for the elements of a constant in the file.
    pub(super) fn data(&mut self, name: &str, data: &'m [u8], element: Element) -> String {
        let item = self.constant_name(&name.to_uppercase());
        let mut what = format!("{name} of operator {}", self.index);
        if self.graph.id != SubgraphId::MAIN {
            what += &format!(" of subgraph {}", self.graph.id.0);
        }
        if element == Element::Bool {
            // Only its own crate can make one out of a number in a constant.
            let bytes = self.constants.tensor(&item, &what, data, Element::U8);
            return format!("elements::<Bool>({bytes})?");
        }
        self.constants.tensor(&item, &what, data, element)
    }

    fn bind(&mut self, name: &str, bytes: Bytes) -> String {
        let bound = self
            .function
            .bindings
            .iter()
            .find(|(_, other)| *other == bytes);
        match bound {
            Some((name, Bytes::Tensor(_))) => name.clone(),
            _ => {
                self.function.bindings.push((name.to_owned(), bytes));
                name.to_owned()
            }
        }
    }

    /// A constant of the module out of a struct or array of numbers, as an expression for a reference to it.
    pub(super) fn parameter(&mut self, suffix: &str, of: &str, value: &str) -> String {
        let name = self.constant_name(suffix);
        let start = format!("const {name}: {of} = ");
        let value = broken(value, 0, start.len() + 1);
        self.function.items += &format!("\n#[rustfmt::skip]\n{start}{value};\n");
        format!("&{name}")
    }

    /// [`Step::parameter`] out of a struct whose `Debug` form names its type in this module.
    pub(super) fn shape(&mut self, suffix: &str, value: &impl std::fmt::Debug) -> String {
        let text = format!("{value:?}");
        let of = text.split(' ').next().unwrap_or_default().to_owned();
        self.parameter(suffix, &of, &text)
    }

    /// Multipliers out of the words that a kernel kept.
    pub(super) fn multipliers(&mut self, kept: &[u32]) -> String {
        let multipliers: &[QuantizedMultiplier] =
            view::from_bytes(view::as_bytes(kept)).unwrap_or_default();
        let numbers: Vec<(i32, i32)> = multipliers
            .iter()
            .map(|one| (one.multiplier, one.shift))
            .collect();
        let name = self.constant_name("MULTIPLIERS");
        self.constants.multipliers(&name, &numbers)
    }

    /// A statement.
    pub(super) fn statement(&mut self, text: String) {
        self.function.body.push(text);
    }

    /// A call that gives the result.
    pub(super) fn call(&mut self, path: &str, arguments: &[&str]) {
        let call = broken_call(path, arguments);
        self.statement(call);
    }
}

/// What a tensor consists of; bytes where there is none.
fn element(graph: &Graph<'_>, id: Option<TensorId>) -> Element {
    id.map_or(Element::U8, |id| Element::of(graph.tensor(id).dtype()))
}

/// A call in one line, or with an argument in each.
pub(super) fn broken_call(path: &str, arguments: &[&str]) -> String {
    let line = format!("{path}({})", arguments.join(", "));
    if 8 + line.len() <= 100 {
        return line;
    }
    let arguments: String = arguments
        .iter()
        .map(|argument| format!("    {argument},\n"))
        .collect();
    format!("{path}(\n{arguments})")
}
