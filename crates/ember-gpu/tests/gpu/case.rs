//! A model of one operator.

use ember_core::{BuiltinOp, Dtype};
use ember_gpu::Gpu;
use ember_lite::MappedModel;
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{Options, TensorId};

use crate::{assert_near, numbers, outputs, to_bytes};

/// A model of one operator, and which tensors it reads.
pub(crate) struct Case {
    name: String,
    spec: ModelSpec,
    operands: Vec<TensorId>,
}

impl Case {
    /// Inputs of these shapes.
    pub(crate) fn new(name: impl Into<String>, inputs: &[&[usize]]) -> Case {
        let mut case = Case {
            name: name.into(),
            spec: ModelSpec::default(),
            operands: Vec::new(),
        };
        for shape in inputs {
            let tensor = TensorSpec::new("x", Dtype::Float32, *shape);
            let id = case.spec.push_tensor(tensor);
            case.spec.inputs.push(id);
            case.operands.push(id);
        }
        case
    }

    /// A float constant behind the operands.
    pub(crate) fn constant(mut self, shape: &[usize]) -> Case {
        let count = shape.iter().product();
        let data = to_bytes(&numbers(count, 7 + self.operands.len()));
        let tensor = TensorSpec::new("w", Dtype::Float32, shape).with_data(data);
        self.operands.push(self.spec.push_tensor(tensor));
        self
    }

    /// The last operand's exponentials in its place, which are positive.
    pub(crate) fn positive(mut self) -> Case {
        let last = self.operands.pop().unwrap();
        let shape = self.spec.tensors[last.0 as usize].shape.clone();
        let positive = TensorSpec::new("exp", Dtype::Float32, shape);
        let positive = self.spec.push_tensor(positive);
        let exp = OperatorSpec::new(BuiltinOp::Exp, [last], [positive], Options::None);
        self.spec.operators.push(exp);
        self.operands.push(positive);
        self
    }

    /// A constant of integers behind the operands.
    pub(crate) fn integers(mut self, shape: &[usize], values: &[i32]) -> Case {
        let data: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let tensor = TensorSpec::new("i", Dtype::Int32, shape).with_data(data);
        self.operands.push(self.spec.push_tensor(tensor));
        self
    }

    /// Runs it on both and compares.
    pub(crate) fn check(
        mut self,
        gpu: &Gpu,
        op: BuiltinOp,
        options: impl Into<Options>,
        shape: &[usize],
    ) {
        let output = self
            .spec
            .push_tensor(TensorSpec::new("y", Dtype::Float32, shape));
        self.spec.outputs = vec![output];
        let operator = OperatorSpec::new(op, self.operands.clone(), [output], options);
        self.spec.operators.push(operator);
        let bytes = write(&self.spec).unwrap();
        let name = format!("{op} {}", self.name);
        let model = MappedModel::from_bytes(&bytes, &name).unwrap();
        let delegated = model.delegated(&[gpu]).unwrap();
        let delegation = delegated.delegation().unwrap();
        let mut placement = delegation.placement();
        assert!(
            placement.all(|runs| runs == Some("gpu")),
            "{name}: {delegation}"
        );
        assert_near(&name, &outputs(&delegated, 3), &outputs(&model, 3));
    }
}
