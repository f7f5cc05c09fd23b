//! TFLite_Detection_PostProcess.

use ember_kernels::detection_post_process::DetectionPostProcess;
use ember_micro::Kernel;
use ember_micro::ops::detection_post_process::{Prepared, Quantization};

use super::super::constants::Element;
use super::super::step::{Problem, Step};
use super::super::text::{Literal as _, broken, debug};

const SOURCES: [&str; 3] = ["encodings", "scores", "anchors"];
const RESULTS: [&str; 4] = ["boxes", "classes", "scores", "count"];

/// On float32 or on uint8.
pub(in super::super) fn run<K: Kernel<Prepared = Prepared>>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem> {
    let (prepared, _) = step.prepared::<K>()?;
    let shape: DetectionPostProcess = prepared.shape;
    let shape = step.parameter("", "DetectionPostProcess", &debug(&shape));
    let mut sources = Vec::new();
    for (at, (name, quantization)) in SOURCES.iter().zip(prepared.quantization).enumerate() {
        let Quantization { scale, zero_point } = quantization;
        let values = step.own_input(at, &format!("input{at}"))?;
        let of_float32 = step.own_element(at) == Element::F32;
        sources.push(if of_float32 {
            format!("{name}: Values::Float32({values})")
        } else {
            let scale = scale.literal();
            format!("{name}: Values::Uint8 {{ values: {values}, scale: {scale}, zero_point: {zero_point} }}")
        });
    }
    let mut results = Vec::new();
    for (at, name) in RESULTS.iter().enumerate() {
        let output = step.output_at(at)?;
        results.push(format!("{name}: elements_mut::<f32>({output})?"));
    }
    let rooms = [
        ("corners", "f32", prepared.corners),
        ("scores", "f32", prepared.scores),
        ("order", "u32", prepared.order),
    ];
    let rooms = rooms.map(|(name, of, scratch)| {
        let bound = step.room_for(&format!("{name}_room"), scratch.len);
        format!("{name}: elements_mut::<{of}>({bound})?")
    });
    for (name, of, fields) in [
        ("inputs", "Inputs", sources.join(", ")),
        ("room", "Scratch", rooms.join(", ")),
        ("outputs", "Outputs", results.join(", ")),
    ] {
        let text = format!("let {name} = detection_post_process::{of} {{ {fields} }}");
        step.statement(format!("{};", broken(&text, 0, 8)));
    }
    step.call(
        "detection_post_process::run",
        &[&shape, "&inputs", "room", "outputs"],
    );
    Ok(())
}
