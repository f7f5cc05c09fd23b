//! LSTM, GRU and RNN, unrolled: the products with the inputs of all steps are one convolution; each step then has the layers and
//! functions that the operator is defined by. All steps share their weights.

use ember_core::{Activation, Padding};
use ember_graph::{Binary, Op, Unary, ValueId, Window};

use super::formula::Formula;
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// A longer sequence would make a graph of thousands of operators.
const MOST_STEPS: usize = 256;

#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Lstm,
    Gru { linear_before_reset: bool },
    Rnn,
}

impl Cell {
    /// Products that each unit is made of.
    const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru { .. } => 3,
            Self::Rnn => 1,
        }
    }

    /// The functions that it is defined with, of each direction.
    const fn functions(self) -> &'static [&'static str] {
        match self {
            Self::Lstm => &["Sigmoid", "Tanh", "Tanh"],
            Self::Gru { .. } => &["Sigmoid", "Tanh"],
            Self::Rnn => &["Tanh"],
        }
    }
}

pub(super) fn lstm<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Cell::Lstm)
}

pub(super) fn gru<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    let linear_before_reset = node.flag("linear_before_reset", false)?;
    lower(
        l,
        node,
        Cell::Gru {
            linear_before_reset,
        },
    )
}

pub(super) fn rnn<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Cell::Rnn)
}

/// The numbers of one direction, each matrix by rows.
struct Direction {
    /// `[gates * units, features]`.
    weights: Vec<f32>,
    /// `[gates * units, units]`.
    recurrent: Vec<f32>,
    /// Added to the products with the inputs: `[gates * units]`.
    bias: Vec<f32>,
    /// Added to the products with the state.
    recurrent_bias: Vec<f32>,
    /// The states in the beginning; zeros where nothing is given.
    start: [Option<Vec<f32>>; 2],
    backwards: bool,
}

/// What the file gives a direction: the numbers `[directions, ..]` of an operand cut into those of each.
fn numbers<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
    (index, what): (usize, &str),
    (directions, each): (usize, usize),
) -> Result<Option<Vec<Vec<f32>>>, OnnxError> {
    let Some(given) = l.constant(node, index, what)? else {
        return Ok(None);
    };
    match given.reals() {
        Some(all) if all.len() == directions * each => {
            Ok(Some(all.chunks(each).map(<[f32]>::to_vec).collect()))
        }
        _ => Err(node.fail(format!(
            "its {what} has the shape {:?}, and must have {each} numbers for each of {directions} directions",
            given.shape
        ))),
    }
}

fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>, cell: Cell) -> Result<(), OnnxError> {
    node.only(&[
        "activations",
        "direction",
        "hidden_size",
        "input_forget",
        "layout",
        "linear_before_reset",
    ])?;
    let backwards: &[bool] = match node.string("direction")?.unwrap_or("forward") {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => return Err(node.fail(format!("direction is {other:?}"))),
    };
    let directions = backwards.len();
    if let Some(given) = node.strings("activations")? {
        let own = cell.functions().repeat(directions);
        if given != own {
            return Err(node.fail(format!("activations are {given:?}; supported are {own:?}")));
        }
    }
    if node.flag("input_forget", false)? || node.input(4).is_some() || node.input(7).is_some() {
        return Err(
            node.fail("supported is one without sequence_lens, peepholes and coupled gates")
        );
    }
    let batch_first = node.flag("layout", false)?;
    let input = l.tensor(node, 0)?;
    let input = l.in_file_order(node.output_stem(), &input)?;
    let (steps, features) = match (batch_first, &input.shape[..]) {
        (false, [steps, 1, features]) | (true, [1, steps, features]) => (*steps, *features),
        _ => {
            return Err(node.fail(format!(
                "takes a sequence of one example, and got {:?}",
                input.shape
            )));
        }
    };
    if steps > MOST_STEPS {
        return Err(node.fail(format!(
            "has {steps} steps; supported are {MOST_STEPS}, because each becomes operators of its own"
        )));
    }
    let units = node.int("hidden_size")?.unwrap_or(0);
    let units = usize::try_from(units)
        .ok()
        .filter(|units| (1..=1 << 16).contains(units));
    let units = units.ok_or_else(|| node.fail("has no hidden_size"))?;
    let rows = cell.gates() * units;
    let missing = |what: &str| node.fail(format!("has no {what}"));
    let weights = numbers(l, node, (1, "W"), (directions, rows * features))?;
    let recurrent = numbers(l, node, (2, "R"), (directions, rows * units))?;
    let biases = numbers(l, node, (3, "B"), (directions, 2 * rows))?;
    let hidden = numbers(l, node, (5, "initial_h"), (directions, units))?;
    let inner = match cell {
        Cell::Lstm => numbers(l, node, (6, "initial_c"), (directions, units))?,
        Cell::Gru { .. } | Cell::Rnn => None,
    };
    let (weights, recurrent) = (
        weights.ok_or_else(|| missing("W"))?,
        recurrent.ok_or_else(|| missing("R"))?,
    );
    let mut runs = Vec::new();
    for (at, backwards) in backwards.iter().enumerate() {
        let of = |given: &Option<Vec<Vec<f32>>>| given.as_ref().map(|given| given[at].clone());
        // Zeros are no state.
        let some = |start: Option<Vec<f32>>| start.filter(|start| start.iter().any(|x| *x != 0.0));
        let mut bias = of(&biases).unwrap_or_else(|| vec![0.0; 2 * rows]);
        let mut recurrent_bias = bias.split_off(rows);
        // All that is added in one place needs one bias.
        let apart = match cell {
            Cell::Gru {
                linear_before_reset: true,
            } => 2 * units,
            Cell::Gru { .. } | Cell::Lstm | Cell::Rnn => rows,
        };
        for (bias, other) in bias.iter_mut().zip(&mut recurrent_bias).take(apart) {
            *bias += *other;
            *other = 0.0;
        }
        let direction = Direction {
            weights: weights[at].clone(),
            recurrent: recurrent[at].clone(),
            bias,
            recurrent_bias,
            start: [some(of(&hidden)), some(of(&inner))],
            backwards: *backwards,
        };
        let sizes = Sizes {
            steps,
            features,
            units,
        };
        runs.push(run(l, node, cell, &direction, sizes, input.id)?);
    }
    results(l, node, batch_first, (steps, units), &runs)
}

#[derive(Clone, Copy)]
struct Sizes {
    steps: usize,
    features: usize,
    units: usize,
}

/// The states of one direction.
struct Run {
    /// The state `[1, units]` after each step, in the order of the sequence.
    hidden: Vec<ValueId>,
    /// The last state, and the last inner state of an LSTM.
    last: [Option<ValueId>; 2],
}

fn run<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    cell: Cell,
    direction: &Direction,
    Sizes {
        steps,
        features,
        units,
    }: Sizes,
    sequence: ValueId,
) -> Result<Run, OnnxError> {
    let rows = cell.gates() * units;
    let stem = node.output_stem();
    let mut f = Formula::named(l, node, stem);
    let image = f.reshape(sequence, &[1, 1, steps, features])?;
    let filter = f.constant(
        "filter",
        vec![rows, 1, 1, features],
        direction.weights.clone(),
    )?;
    let bias = f.constant("bias", vec![rows], direction.bias.clone())?;
    let window = Window {
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding::Valid,
    };
    let activation = Activation::None;
    let products = f.op(Op::Conv2d { window, activation }, &[image, filter, bias])?;
    let recurrent = f.constant("weights", vec![rows, units], direction.recurrent.clone())?;
    let recurrent_bias = f.constant("state_bias", vec![rows], direction.recurrent_bias.clone())?;
    let mut state = [None, None];
    for (state, start) in state.iter_mut().zip(&direction.start) {
        if let Some(start) = start {
            *state = Some(f.constant("state", vec![1, units], start.clone())?);
        }
    }
    let mut hidden = Vec::with_capacity(steps);
    for step in 0..steps {
        let at = if direction.backwards {
            steps - 1 - step
        } else {
            step
        };
        let x = f.part(products, 2, at, at + 1)?;
        let x = f.reshape(x, &[1, rows])?;
        let mut step = Step {
            f: &mut f,
            x,
            state,
            units,
            recurrent: [recurrent, recurrent_bias],
            direction,
        };
        state = match cell {
            Cell::Lstm => step.lstm()?,
            Cell::Gru {
                linear_before_reset,
            } => step.gru(linear_before_reset)?,
            Cell::Rnn => step.rnn()?,
        };
        hidden.extend(state[0]);
    }
    if direction.backwards {
        hidden.reverse();
    }
    Ok(Run {
        hidden,
        last: state,
    })
}

/// One step of a cell.
struct Step<'f, 'l, 'm> {
    f: &'f mut Formula<'l, 'm>,
    /// The products with the input: `[1, gates * units]`.
    x: ValueId,
    state: [Option<ValueId>; 2],
    units: usize,
    recurrent: [ValueId; 2],
    direction: &'f Direction,
}

impl Step<'_, '_, '_> {
    /// The units of one gate.
    fn gate(&mut self, all: ValueId, number: usize) -> Result<ValueId, OnnxError> {
        let first = number * self.units;
        self.f.part(all, 1, first, first + self.units)
    }

    /// The products with the state; nothing where it is zeros.
    fn products(&mut self) -> Result<Option<ValueId>, OnnxError> {
        let Some(hidden) = self.state[0] else {
            return Ok(None);
        };
        let [weights, bias] = self.recurrent;
        let activation = Activation::None;
        let op = Op::FullyConnected { activation };
        Ok(Some(self.f.op(op, &[hidden, weights, bias])?))
    }

    /// The sum of both products.
    fn sum(&mut self) -> Result<ValueId, OnnxError> {
        match self.products()? {
            Some(products) => self.f.add(self.x, products, Activation::None),
            None => Ok(self.x),
        }
    }

    fn rnn(&mut self) -> Result<[Option<ValueId>; 2], OnnxError> {
        let sum = self.sum()?;
        Ok([Some(self.f.one(Unary::Tanh, sum)?), None])
    }

    /// Gates in the order input, output, forget, cell.
    fn lstm(&mut self) -> Result<[Option<ValueId>; 2], OnnxError> {
        let sum = self.sum()?;
        let gates = self.f.part(sum, 1, 0, 3 * self.units)?;
        let gates = self.f.one(Unary::Logistic, gates)?;
        let (input, output) = (self.gate(gates, 0)?, self.gate(gates, 1)?);
        let fresh = self.gate(sum, 3)?;
        let fresh = self.f.one(Unary::Tanh, fresh)?;
        let mut inner = self.f.two(Binary::Mul, input, fresh)?;
        if let Some(before) = self.state[1] {
            let forget = self.gate(gates, 2)?;
            let kept = self.f.two(Binary::Mul, forget, before)?;
            inner = self.f.add(kept, inner, Activation::None)?;
        }
        let shown = self.f.one(Unary::Tanh, inner)?;
        let hidden = self.f.two(Binary::Mul, output, shown)?;
        Ok([Some(hidden), Some(inner)])
    }

    /// Gates in the order update, reset, hidden.
    fn gru(&mut self, linear_before_reset: bool) -> Result<[Option<ValueId>; 2], OnnxError> {
        let products = self.products()?;
        let both = 2 * self.units;
        let mut gates = self.f.part(self.x, 1, 0, both)?;
        if let Some(products) = products {
            let own = self.f.part(products, 1, 0, both)?;
            gates = self.f.add(gates, own, Activation::None)?;
        }
        let gates = self.f.one(Unary::Logistic, gates)?;
        let (update, reset) = (self.gate(gates, 0)?, self.gate(gates, 1)?);
        let x = self.gate(self.x, 2)?;
        let added = match (linear_before_reset, products, self.state[0]) {
            (true, Some(products), _) => {
                let own = self.gate(products, 2)?;
                Some(self.f.two(Binary::Mul, reset, own)?)
            }
            (true, None, _) => {
                let bias = self.direction.recurrent_bias[both..].to_vec();
                match bias.iter().any(|bias| *bias != 0.0) {
                    true => {
                        let bias = self.f.constant("reset_bias", vec![1, self.units], bias)?;
                        Some(self.f.two(Binary::Mul, reset, bias)?)
                    }
                    false => None,
                }
            }
            (false, _, Some(hidden)) => {
                let kept = self.f.two(Binary::Mul, reset, hidden)?;
                let own = self.direction.recurrent[both * self.units..].to_vec();
                let shape = vec![self.units, self.units];
                let weights = self.f.constant("hidden_weights", shape, own)?;
                let zeros = vec![0.0; self.units];
                let bias = self.f.constant("hidden_bias", vec![self.units], zeros)?;
                let activation = Activation::None;
                let op = Op::FullyConnected { activation };
                Some(self.f.op(op, &[kept, weights, bias])?)
            }
            (false, _, None) => None,
        };
        let sum = match added {
            Some(added) => self.f.add(x, added, Activation::None)?,
            None => x,
        };
        let fresh = self.f.one(Unary::Tanh, sum)?;
        // fresh + update * (before - fresh)
        let hidden = match self.state[0] {
            Some(before) => {
                let difference = self.f.two(Binary::Sub, before, fresh)?;
                let kept = self.f.two(Binary::Mul, update, difference)?;
                self.f.add(fresh, kept, Activation::None)?
            }
            None => {
                let kept = self.f.two(Binary::Mul, update, fresh)?;
                self.f.two(Binary::Sub, fresh, kept)?
            }
        };
        Ok([Some(hidden), None])
    }
}

/// Defines the results that somebody reads: all states, the last ones, the last inner ones.
fn results<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    batch_first: bool,
    (steps, units): (usize, usize),
    runs: &[Run],
) -> Result<(), OnnxError> {
    let directions = runs.len();
    for (index, output) in node.outputs().enumerate() {
        if output.is_empty() || !l.is_read(output) {
            continue;
        }
        let mut f = Formula::named(l, node, output);
        let (id, shape) = if index == 0 {
            let mut sides = Vec::new();
            for run in runs {
                let rows = run.hidden.iter().map(|id| f.reshape(*id, &[1, 1, units]));
                let rows = rows.collect::<Result<Vec<_>, _>>()?;
                sides.push(f.join(1, &rows)?);
            }
            let shape = match batch_first {
                true => vec![1, steps, directions, units],
                false => vec![steps, directions, 1, units],
            };
            (f.join(2, &sides)?, shape)
        } else {
            let last = runs.iter().filter_map(|run| *run.last.get(index - 1)?);
            let last: Vec<ValueId> = last.collect();
            let shape = match batch_first {
                true => vec![1, directions, units],
                false => vec![directions, 1, units],
            };
            (f.join(1, &last)?, shape)
        };
        let layout = Layout::of_file(&shape);
        let id = f.reshape(id, &layout.shape(&shape))?;
        l.finished(output, id, (shape, layout));
    }
    Ok(())
}
