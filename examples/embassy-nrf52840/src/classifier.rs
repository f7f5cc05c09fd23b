//! All that this firmware has of Ember: a model of the zoo that tells digits apart.

use core::cmp::Reverse;

use ember_micro::{Arena, Interpreter, Model, Registration, include_model, registry};

/// 28 rows of 28 pixels, 0 is the background and 255 the ink.
pub type Image = [u8; 28 * 28];

static MODEL: &[u8] = include_model!("../../../artifacts/zoo/seed-cnn/model.int8.tflite");

/// The kernels that the model needs; no others are linked.
static KERNELS: &[Registration] = &[
    registry::CONV_2D_INT8,
    registry::MAX_POOL_2D_INT8,
    registry::RESHAPE,
    registry::FULLY_CONNECTED_INT8,
    registry::SOFTMAX_INT8,
];

/// As many bytes as `cargo xtask model check seed-cnn` says.
pub type Memory = Arena<4096>;

/// The model, ready to run; `None` where it does not fit the kernels or the memory, which a first run on the chip would show.
pub fn prepare(memory: &mut Memory) -> Option<Interpreter<'_, 'static>> {
    let model = Model::parse(MODEL).ok()?;
    Interpreter::new(&model, KERNELS, memory).ok()
}

/// The digit that the image shows.
pub fn classify(model: &mut Interpreter<'_, '_>, image: &Image) -> Option<u8> {
    // The model's input is quantized with scale 1/255 and zero point -128.
    let input = model.input_as::<i8>(0)?;
    for (quantized, pixel) in input.iter_mut().zip(image) {
        *quantized = (pixel ^ 0x80) as i8;
    }
    model.invoke().ok()?;
    let scores = model.output_as::<i8>(0)?;
    // The first of several equal ones.
    let best = (0u8..)
        .zip(scores)
        .min_by_key(|(_, score)| Reverse(**score));
    best.map(|(digit, _)| digit)
}
