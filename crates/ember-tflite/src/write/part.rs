//! Some operators of a model as a model of their own.

use std::borrow::ToOwned;
use std::vec;
use std::vec::Vec;

use super::WriteError;
use super::from_model::{operator, tensor};
use super::spec::ModelSpec;
use crate::model::{Subgraph, TensorId};

impl ModelSpec {
    /// The operators with these numbers, in this order, as a model with these inputs and outputs. The tensors that it has are
    /// those that its operators name, and its inputs and outputs; numbers that the graph does not have are left out.
    ///
    /// It has neither metadata nor signatures.
    ///
    /// # Errors
    /// Options that Ember does not read, where they say something.
    pub fn of_part(
        graph: &Subgraph<'_>,
        operators: &[usize],
        inputs: &[TensorId],
        outputs: &[TensorId],
    ) -> Result<Self, WriteError> {
        let mut spec = Self {
            name: graph.name().to_owned(),
            ..Self::default()
        };
        let mut numbers: Vec<Option<TensorId>> = vec![None; graph.tensor_count()];
        let mut number = |tensors: &mut Vec<_>, id: TensorId| -> Option<TensorId> {
            let place = numbers.get_mut(id.0 as usize)?;
            if place.is_none() {
                *place = Some(TensorId(tensors.len() as u32));
                tensors.push(tensor(graph.tensor(id)?));
            }
            *place
        };
        for (ids, list) in [(inputs, &mut spec.inputs), (outputs, &mut spec.outputs)] {
            for id in ids {
                list.extend(number(&mut spec.tensors, *id));
            }
        }
        for index in operators {
            let Some(found) = graph.operator(*index) else {
                continue;
            };
            let mut operator = operator(*index, &found)?;
            for id in operator.inputs.iter_mut().chain(&mut operator.outputs) {
                *id = id.and_then(|id| number(&mut spec.tensors, id));
            }
            spec.operators.push(operator);
        }
        Ok(spec)
    }
}
