//! What has no operator of its own here, as several that there are.

use ember_core::Activation;
use ember_graph::{Binary, Op, Reduction, Unary, ValueId, Weightless};

use crate::OnnxError;
use crate::constant::{Constant, Numbers};
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// Writes the nodes of the graph that one node of the file becomes.
pub(super) struct Formula<'l, 'm> {
    pub(super) l: &'l mut Lowering<'m>,
    pub(super) node: &'l OnnxNode<'m>,
    /// Stem of the names of what it makes: the result's.
    name: &'m str,
}

impl<'l, 'm> Formula<'l, 'm> {
    pub(super) fn new(l: &'l mut Lowering<'m>, node: &'l OnnxNode<'m>) -> Result<Self, OnnxError> {
        let name = node.output()?;
        Ok(Self { l, node, name })
    }

    /// Whose values have names that begin with `name`.
    pub(super) fn named(l: &'l mut Lowering<'m>, node: &'l OnnxNode<'m>, name: &'m str) -> Self {
        Self { l, node, name }
    }

    pub(super) fn op(&mut self, op: Op, operands: &[ValueId]) -> Result<ValueId, OnnxError> {
        let name = format!("{}.{}", self.name, op.name());
        self.l.inner(self.node, &name, op, operands)
    }

    pub(super) fn weightless(
        &mut self,
        op: Weightless,
        operands: &[ValueId],
    ) -> Result<ValueId, OnnxError> {
        self.op(Op::Weightless(op), operands)
    }

    pub(super) fn one(&mut self, function: Unary, x: ValueId) -> Result<ValueId, OnnxError> {
        self.weightless(Weightless::Unary(function), &[x])
    }

    pub(super) fn two(
        &mut self,
        function: Binary,
        left: ValueId,
        right: ValueId,
    ) -> Result<ValueId, OnnxError> {
        self.weightless(Weightless::Binary(function), &[left, right])
    }

    pub(super) fn add(
        &mut self,
        left: ValueId,
        right: ValueId,
        activation: Activation,
    ) -> Result<ValueId, OnnxError> {
        self.op(Op::Add { activation }, &[left, right])
    }

    pub(super) fn reduce(
        &mut self,
        function: Reduction,
        axes: &[usize],
        x: ValueId,
    ) -> Result<ValueId, OnnxError> {
        let axes = axes.to_vec();
        self.weightless(Weightless::Reduce { function, axes }, &[x])
    }

    /// `x` with another shape.
    pub(super) fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Result<ValueId, OnnxError> {
        self.l.reshaped(self.name, x, shape)
    }

    /// The elements `from..to` of one dimension.
    pub(super) fn part(
        &mut self,
        x: ValueId,
        axis: usize,
        from: usize,
        to: usize,
    ) -> Result<ValueId, OnnxError> {
        let mut end = self.l.shape_here(x);
        let mut begin = vec![0; end.len()];
        let step = vec![1; end.len()];
        if let (Some(begin), Some(end)) = (begin.get_mut(axis), end.get_mut(axis)) {
            (*begin, *end) = (from, to);
        }
        self.weightless(Weightless::Slice { begin, end, step }, &[x])
    }

    /// The parts one behind the other along one dimension; the only one itself.
    pub(super) fn join(&mut self, axis: usize, parts: &[ValueId]) -> Result<ValueId, OnnxError> {
        match parts {
            [one] => Ok(*one),
            _ => self.weightless(Weightless::Concatenation { axis }, parts),
        }
    }

    /// One number, to be used with `x`.
    pub(super) fn number(&mut self, number: f32, x: ValueId) -> Result<ValueId, OnnxError> {
        let shape = vec![1; self.l.shape_here(x).len()];
        self.constant("number", shape, vec![number])
    }

    pub(super) fn constant(
        &mut self,
        what: &str,
        shape: Vec<usize>,
        numbers: Vec<f32>,
    ) -> Result<ValueId, OnnxError> {
        let numbers = Numbers::Real(numbers);
        let name = format!("{}.{what}", self.name);
        self.l
            .parameter(self.node, &name, &Constant { shape, numbers })
    }

    pub(super) fn scaled(&mut self, factor: f32, x: ValueId) -> Result<ValueId, OnnxError> {
        let factor = self.number(factor, x)?;
        self.two(Binary::Mul, x, factor)
    }

    pub(super) fn shifted(&mut self, summand: f32, x: ValueId) -> Result<ValueId, OnnxError> {
        let summand = self.number(summand, x)?;
        self.add(x, summand, Activation::None)
    }
}
