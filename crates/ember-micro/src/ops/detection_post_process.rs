//! TFLite_Detection_PostProcess: `micro/kernels/detection_postprocess.cc`. Its options are a FlexBuffers map.

use core::marker::PhantomData;

use ember_core::Dtype;
use ember_core::view::Plain;
use ember_kernels::detection_post_process::{
    self, DetectionPostProcess, Inputs, Outputs, Scratch as Room, Values,
};
use ember_tflite::{FlexMap, OpCode};

use super::typed::Typed;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare, Scratch};
use crate::written::{self, Others};

/// Its name in the file.
pub const NAME: &str = "TFLite_Detection_PostProcess";

const BOXES: Slot = Slot::output(0);
const CLASSES: Slot = Slot::output(1);
const SCORES: Slot = Slot::output(2);
const COUNT: Slot = Slot::output(3);

/// TFLite_Detection_PostProcess with inputs of `T`; outputs are float32.
pub struct Of<T>(PhantomData<T>);

/// TFLite_Detection_PostProcess of float32.
pub type Float32 = Of<f32>;

/// TFLite_Detection_PostProcess of uint8, which is dequantized; TensorFlow Lite has it, TFLM has not.
pub type Uint8 = Of<u8>;

/// A type of the inputs.
pub trait Source: Typed + 'static {
    /// Scale and zero point of an input.
    ///
    /// # Errors
    /// It has none.
    fn quantization(operand: &Operand<'_>) -> Result<Quantization, Refused>;

    /// The elements of an input.
    fn values(values: &[Self], quantization: Quantization) -> Values<'_>;
}

ember_core::plain! {
    /// Scale and zero point of an input; of float32 not looked at.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Quantization {
        /// What one step stands for.
        pub scale: f32,
        /// What stands for zero.
        pub zero_point: i32,
    }

    /// What [`Of`] prepares.
    #[derive(Clone, Copy)]
    pub struct Prepared {
        /// Shapes and options.
        pub shape: DetectionPostProcess,
        /// Of encodings, scores and anchors.
        pub quantization: [Quantization; 3],
        /// Boxes as corners.
        pub corners: Scratch,
        /// A score of each box.
        pub scores: Scratch,
        /// The boxes' order.
        pub order: Scratch,
    }
}

impl Source for f32 {
    fn quantization(_operand: &Operand<'_>) -> Result<Quantization, Refused> {
        Ok(Quantization::default())
    }

    fn values(values: &[Self], _quantization: Quantization) -> Values<'_> {
        Values::Float32(values)
    }
}

impl Source for u8 {
    fn quantization(operand: &Operand<'_>) -> Result<Quantization, Refused> {
        let quantization = operand.quantization()?;
        Ok(Quantization {
            scale: quantization.scale(0).unwrap_or_default(),
            zero_point: quantization.zero_point(0).unwrap_or_default(),
        })
    }

    fn values(values: &[Self], quantization: Quantization) -> Values<'_> {
        Values::Uint8 {
            values,
            scale: quantization.scale,
            zero_point: quantization.zero_point,
        }
    }
}

/// Options as `DetectionPostProcessInit` reads them, and shapes.
#[inline(never)]
fn shape(cx: &Prepare<'_>, dtype: Dtype) -> Result<DetectionPostProcess, Refused> {
    cx.arity(3..=3, 4)?;
    let map = FlexMap::parse(cx.operator().custom_options());
    let map = cx.expect(map, Fault::Options)?;
    let count = |key| {
        cx.expect(
            map.i32(key).and_then(|n| u32::try_from(n).ok()),
            Fault::Options,
        )
    };
    let factor = |key| cx.expect(map.f32(key), Fault::Options);
    let [batches, boxes, encoding] = cx.input(0, dtype)?.dims()?;
    let scores = cx.input(1, dtype)?;
    let [_, _, columns] = scores.dims()?;
    scores.dims_are(&[1, boxes, columns])?;
    cx.input(2, dtype)?.dims_are(&[boxes, 4])?;
    let classes = count("num_classes")?;
    let of_class = match map.i32("detections_per_class") {
        None => 100,
        Some(_) => count("detections_per_class")?,
    };
    let shape = DetectionPostProcess {
        boxes,
        encoding,
        columns,
        classes,
        slots: cx.typed(SCORES, Dtype::Float32)?.elements(),
        max_detections: count("max_detections")?,
        classes_per_box: count("max_classes_per_detection")?.min(classes),
        detections_per_class: of_class,
        regular: map.bool("use_regular_nms").unwrap_or(false).into(),
        score_threshold: factor("nms_score_threshold")?,
        overlap_threshold: factor("nms_iou_threshold")?,
        scales: [
            factor("y_scale")?,
            factor("x_scale")?,
            factor("h_scale")?,
            factor("w_scale")?,
        ],
    };
    let background = columns.checked_sub(classes);
    let each = if shape.regular != 0 {
        1
    } else {
        shape.classes_per_box
    };
    let needed = shape.max_detections.checked_mul(each);
    let overlap = shape.overlap_threshold;
    let sound = batches == 1
        && encoding >= 4
        && matches!(background, Some(0 | 1))
        && overlap > 0.0
        && overlap <= 1.0
        && each > 0
        && of_class > 0
        && needed.is_some_and(|needed| needed <= shape.slots);
    if !sound {
        return Err(cx.refuse(Fault::Options));
    }
    for (slot, elements) in [
        (BOXES, shape.slots.checked_mul(4)),
        (CLASSES, Some(shape.slots)),
        (COUNT, Some(1)),
    ] {
        let elements = cx.expect(elements, Fault::Options)?;
        cx.typed(slot, Dtype::Float32)?.elements_are(elements)?;
    }
    Ok(shape)
}

impl<T: Source> Kernel for Of<T> {
    const CODE: OpCode<'static> = OpCode::Custom(NAME);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        let shape = shape(cx, T::DTYPE)?;
        let quantization = |index| T::quantization(&cx.any(Slot::input(index))?);
        let corners = cx.expect(shape.boxes.checked_mul(4), Fault::Options)?;
        *prepared = Prepared {
            shape,
            quantization: [quantization(0)?, quantization(1)?, quantization(2)?],
            corners: cx.scratch::<f32>(corners)?,
            scores: cx.scratch::<f32>(shape.boxes)?,
            order: cx.scratch::<u32>(shape.boxes)?,
        };
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (order, io) = io.scratch(prepared.order)?;
        let (scores, io) = io.scratch(prepared.scores)?;
        let (corners, io) = io.scratch(prepared.corners)?;
        let room = Room {
            corners,
            scores,
            order,
        };
        let slots = [BOXES, CLASSES, SCORES, COUNT];
        let ([boxes, classes, scores, count], others) = io.written(slots)?;
        let outputs = Outputs {
            boxes: written::elements(boxes, BOXES)?,
            classes: written::elements(classes, CLASSES)?,
            scores: written::elements(scores, SCORES)?,
            count: written::elements(count, COUNT)?,
        };
        let [encodings, scores, anchors] = prepared.quantization;
        let inputs = Inputs {
            encodings: values::<T>(&others, 0, encodings)?,
            scores: values::<T>(&others, 1, scores)?,
            anchors: values::<T>(&others, 2, anchors)?,
        };
        detection_post_process::run(&prepared.shape, &inputs, room, outputs)?;
        Ok(())
    }
}

fn values<'s, T: Source + Plain>(
    others: &Others<'s>,
    index: u8,
    quantization: Quantization,
) -> Result<Values<'s>, InvokeFault> {
    Ok(T::values(others.get(index)?, quantization))
}
