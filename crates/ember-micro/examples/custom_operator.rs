//! An operator of one's own: `cargo run -p ember-micro --example custom_operator`.
//!
//! The model names it (`custom_code`) and carries its options, as TensorFlow's converter writes them: a FlexBuffers map.
//! Here it is `SCALE_BY`, which multiplies float32 by the number `factor` of its options.

use std::error::Error;

use ember_micro::{
    BuiltinOp, Dtype, Fault, Interpreter, InvokeFault, Io, Kernel, Model, OpCode, Prepare, Refused,
    Registration, arena_bytes_needed, registry,
};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{FlexMap, Options, TensorId};

/// The kernel: nothing but a name for the two functions.
pub(crate) struct ScaleBy;

ember_core::plain! {
    /// What is worked out once, when the model is prepared.
    #[derive(Clone, Copy)]
    pub(crate) struct Prepared {
        factor: f32,
    }
}

/// The codes with which it refuses a model.
const NO_FACTOR: Fault = Fault::Custom(1);

impl Kernel for ScaleBy {
    const CODE: OpCode<'static> = OpCode::Custom("SCALE_BY");
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        // All that `run` relies on is checked here, with the error that says which tensor and what was expected.
        cx.arity(1..=1, 1)?;
        cx.same_elements()?;
        let options = FlexMap::parse(cx.operator().custom_options());
        let factor = options.and_then(|options| options.f32("factor"));
        prepared.factor = cx.expect(factor, NO_FACTOR)?;
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<f32>()?;
        for (y, x) in output.iter_mut().zip(inputs.get::<f32>(0)?) {
            *y = prepared.factor * x;
        }
        Ok(())
    }
}

/// The operators of a program: what is in no list is not linked.
pub(crate) static REGISTRY: &[Registration] =
    &[registry::RELU_FLOAT32, Registration::of::<ScaleBy>()];

/// `{"factor": 2.5}` in FlexBuffers.
pub(crate) const OPTIONS: [u8; 32] = [
    b'f', b'a', b'c', b't', b'o', b'r', 0, 1, 8, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0,
    32, 64, 14, 5, 38, 1,
];

/// A model of four elements: RELU, then SCALE_BY.
pub(crate) fn model(options: &[u8]) -> ModelSpec {
    let mut spec = ModelSpec::default();
    for name in ["x", "positive", "y"] {
        spec.push_tensor(TensorSpec::new(name, Dtype::Float32, [4]));
    }
    let operator = |op: BuiltinOp, input: u32, output: u32| {
        OperatorSpec::new(op, [TensorId(input)], [TensorId(output)], Options::None)
    };
    spec.operators = vec![
        operator(BuiltinOp::Relu, 0, 1),
        OperatorSpec {
            custom_code: "SCALE_BY".to_owned(),
            custom_options: options.to_vec(),
            ..operator(BuiltinOp::Custom, 1, 2)
        },
    ];
    spec.inputs = vec![TensorId(0)];
    spec.outputs = vec![TensorId(2)];
    spec
}

/// A multiple of 16 to begin at, as models and arenas need it.
#[repr(align(16))]
struct Aligned([u8; 4096]);

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = write(&model(&OPTIONS))?;
    let mut file = Aligned([0; 4096]);
    file.0[..bytes.len()].copy_from_slice(&bytes);
    let model = Model::parse(&file.0[..bytes.len()])?;
    let mut arena = Aligned([0; 4096]);
    let mut interpreter = Interpreter::new(&model, REGISTRY, &mut arena.0)?;
    let input = interpreter.input_as(0).ok_or("the model has no input")?;
    input.copy_from_slice(&[-1.0, 0.0, 1.0, 2.0f32]);
    interpreter.invoke()?;
    println!("{:?}", interpreter.output_as::<f32>(0));
    println!("{} bytes of arena", arena_bytes_needed(&model, REGISTRY)?);
    Ok(())
}
