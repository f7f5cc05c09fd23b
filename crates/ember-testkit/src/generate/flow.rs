//! Operators that call subgraphs, and resource variables.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::write::{ModelSpec, OperatorSpec, SubgraphSpec, TensorSpec, VariableSpec};
use ember_tflite::{AddOptions, CallOnceOptions, IfOptions, Options, TensorId, WhileOptions};

use super::{Builder, Family};

pub(super) const ALL: &[Family] = &[condition, repeat, variable, once];

/// Calls within calls.
const DEPTH: usize = 2;

/// Draws for a subgraph.
const ATTEMPTS: usize = 6;

/// Rounds of a loop, at most.
const ROUNDS: usize = 4;

impl Builder {
    /// Adds a subgraph whose inputs are like these tensors and gives its number. `fill` adds its operators and gives its outputs.
    fn subgraph(
        &mut self,
        inputs: &[TensorId],
        fill: impl FnOnce(&mut Self, &[TensorId]) -> Option<Vec<TensorId>>,
    ) -> Option<i32> {
        let inputs: Vec<TensorSpec> = inputs.iter().map(|id| self.computed(*id)).collect();
        let called = std::mem::take(&mut self.spec.called);
        let own = ModelSpec {
            called,
            ..ModelSpec::default()
        };
        // Meanwhile it is as if it were the main one.
        let outer = std::mem::replace(&mut self.spec, own);
        let values = std::mem::take(&mut self.values);
        for input in inputs {
            let is_handle = input.dtype == Dtype::Resource;
            let id = self.spec.push_tensor(input);
            self.spec.inputs.push(id);
            self.values.extend((!is_handle).then_some(id));
        }
        self.depth += 1;
        let inputs = self.spec.inputs.clone();
        let outputs = fill(self, &inputs);
        self.depth -= 1;
        self.values = values;
        let own = std::mem::replace(&mut self.spec, outer);
        self.spec.called = own.called;
        self.spec.called.push(SubgraphSpec {
            name: String::new(),
            tensors: own.tensors,
            operators: own.operators,
            inputs,
            outputs: outputs?,
        });
        Some(self.spec.called.len() as i32)
    }

    /// Adds a few operators.
    fn draw(&mut self) {
        for _ in 0..self.random.below(ATTEMPTS) {
            let family = self.random.pick(&self.families);
            let Some(from) = self.values.last().copied() else {
                return;
            };
            self.attempt(family, from);
        }
    }

    /// A tensor of this type and shape: the value that was made last, or a constant.
    fn result(&mut self, wanted: &TensorSpec) -> TensorId {
        let fits = |own: &TensorSpec| (own.dtype, &own.shape) == (wanted.dtype, &wanted.shape);
        let mut values = self.values.iter().rev().copied();
        let last = values.find(|id| fits(&self.spec.tensors[id.0 as usize]));
        if let Some(last) = last.filter(|_| self.random.below(8) > 0) {
            return last;
        }
        let id = self.spec.push_tensor(wanted.clone());
        self.filled(id, 3.0)
    }

    /// The tensor without what it holds.
    fn computed(&self, id: TensorId) -> TensorSpec {
        TensorSpec {
            data: None,
            ..self.get(id)
        }
    }

    /// The handle of the variable that holds values like this one.
    fn handle(&mut self, like: TensorId) -> TensorId {
        let tensor = self.get(like);
        let shape: &[usize] = if self.flag() { &[] } else { &[1] };
        let handle = TensorSpec::new("", Dtype::Resource, shape);
        let handle = self.spec.push_tensor(handle);
        let variable = VariableSpec {
            container: String::new(),
            name: format!("{} {:?}", tensor.dtype, tensor.shape),
        };
        let operator = OperatorSpec::var_handle(variable, handle);
        self.spec.operators.push(operator);
        handle
    }

    fn read(&mut self, handle: TensorId, like: TensorId) {
        let tensor = self.computed(like);
        let value = self.spec.push_tensor(tensor);
        // An operator with an output: nothing can fail.
        let _ = self.operator(BuiltinOp::ReadVariable, &[handle], &[value], Options::None);
    }

    fn assign(&mut self, handle: TensorId, value: TensorId) {
        let _ = self.operator(
            BuiltinOp::AssignVariable,
            &[handle, value],
            &[],
            Options::None,
        );
    }
}

/// A truth value: of an element, or a constant.
fn truth(b: &mut Builder, from: TensorId) -> Option<TensorId> {
    let tensor = b.get(from);
    let ones = vec![1; tensor.shape.len()];
    let truth = TensorSpec::new("", Dtype::Bool, ones.clone());
    let truth = b.spec.push_tensor(truth);
    if b.random.below(6) == 0 {
        return Some(b.filled(truth, 1.0));
    }
    let begins: Vec<i32> = tensor
        .shape
        .iter()
        .map(|size| b.random.below(*size) as i32)
        .collect();
    let sizes = vec![1; tensor.shape.len()];
    let (begins, sizes) = (b.list(&begins), b.list(&sizes));
    let element = b.like(from, &ones);
    b.operator(
        BuiltinOp::Slice,
        &[from, begins, sizes],
        &[element],
        Options::None,
    )?;
    let other = b.constant_like(from, &ones);
    let op = b.random.pick(&[BuiltinOp::Greater, BuiltinOp::LessEqual]);
    b.operator(op, &[element, other], &[truth], Options::None)?;
    Some(truth)
}

/// IF.
fn condition(b: &mut Builder, from: TensorId) -> Option<()> {
    if b.depth == DEPTH {
        return None;
    }
    let truth = truth(b, from)?;
    let mut inputs = vec![from];
    if b.flag() {
        inputs.push(b.random.pick(&b.values.clone()));
    }
    let then = b.subgraph(&inputs, |b, _| {
        b.draw();
        let mut outputs = vec![*b.values.last()?];
        if b.flag() {
            outputs.push(b.random.pick(&b.values.clone()));
        }
        Some(outputs)
    })?;
    let called = b.spec.called.last()?;
    let outputs = called.outputs.iter();
    let wanted: Vec<TensorSpec> = outputs
        .map(|id| TensorSpec {
            data: None,
            ..called.tensors[id.0 as usize].clone()
        })
        .collect();
    let otherwise = if b.random.below(8) == 0 {
        then
    } else {
        b.subgraph(&inputs, |b, _| {
            b.draw();
            Some(wanted.iter().map(|wanted| b.result(wanted)).collect())
        })?
    };
    let outputs: Vec<TensorId> = wanted
        .into_iter()
        .map(|tensor| b.spec.push_tensor(tensor))
        .collect();
    let options = IfOptions {
        then_subgraph_index: then,
        else_subgraph_index: otherwise,
    };
    b.operator(
        BuiltinOp::If,
        &[&[truth], &inputs[..]].concat(),
        &outputs,
        options,
    )
}

/// WHILE that counts its rounds, on a value, with the handle of a variable or without.
fn repeat(b: &mut Builder, from: TensorId) -> Option<()> {
    if b.depth == DEPTH {
        return None;
    }
    let zero = b.list(&[0]);
    let handle = b.flag().then(|| b.handle(from));
    let (at, value_at) = b.random.pick(&[(0, 1), (1, 0)]);
    let mut inputs = [from, from].to_vec();
    inputs[at] = zero;
    inputs.extend(handle);
    let rounds = b.random.below(ROUNDS + 1) as i32;
    let limited = b.subgraph(&inputs, |b, inputs| {
        if b.random.below(3) == 0 {
            b.draw();
        }
        let limit = b.list(&[rounds]);
        let goes_on = b.tensor(Dtype::Bool, &[1]);
        b.operator(
            BuiltinOp::Less,
            &[inputs[at], limit],
            &[goes_on],
            Options::None,
        )?;
        Some(vec![goes_on])
    })?;
    let body = b.subgraph(&inputs, |b, inputs| {
        let one = b.list(&[1]);
        let next = b.tensor(Dtype::Int32, &[1]);
        let add = AddOptions::default();
        b.operator(BuiltinOp::Add, &[inputs[at], one], &[next], add)?;
        let value = inputs[value_at];
        b.values.push(value);
        if let Some(handle) = inputs.get(2) {
            b.read(*handle, value);
        }
        b.draw();
        let wanted = b.computed(value);
        let result = b.result(&wanted);
        let mut outputs = inputs.to_vec();
        (outputs[at], outputs[value_at]) = (next, result);
        if let Some(handle) = inputs.get(2) {
            b.assign(*handle, result);
        }
        Some(outputs)
    })?;
    let outputs: Vec<TensorId> = inputs
        .iter()
        .map(|id| b.spec.push_tensor(b.computed(*id)))
        .collect();
    let operator = OperatorSpec::new(
        BuiltinOp::While,
        inputs.iter().copied(),
        outputs.iter().copied(),
        WhileOptions {
            cond_subgraph_index: limited,
            body_subgraph_index: body,
        },
    );
    b.spec.operators.push(operator);
    b.values.extend([outputs[at], outputs[value_at]]);
    if let Some(handle) = outputs.get(2) {
        b.read(*handle, from);
    }
    Some(())
}

/// A variable that is read and assigned, in any order.
fn variable(b: &mut Builder, from: TensorId) -> Option<()> {
    let handle = b.handle(from);
    if b.flag() {
        b.read(handle, from);
        let value = b.random.pick(&b.values.clone());
        let fits = b.computed(value) == b.computed(from);
        b.assign(handle, if fits { value } else { from });
    } else {
        b.assign(handle, from);
        if b.flag() {
            b.read(handle, from);
        }
    }
    Some(())
}

/// CALL_ONCE of what assigns a variable, which is read then.
fn once(b: &mut Builder, from: TensorId) -> Option<()> {
    if b.depth == DEPTH {
        return None;
    }
    let tensor = b.computed(from);
    let init_subgraph_index = b.subgraph(&[], |b, _| {
        let value = b.spec.push_tensor(tensor);
        let value = b.filled(value, 3.0);
        let handle = b.handle(value);
        b.assign(handle, value);
        Some(Vec::new())
    })?;
    let options = CallOnceOptions {
        init_subgraph_index,
    };
    b.operator(BuiltinOp::CallOnce, &[], &[], options)?;
    let handle = b.handle(from);
    b.read(handle, from);
    Some(())
}
