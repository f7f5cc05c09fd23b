//! Sessions: single runs in the model's own types, on real numbers and on pixels.

use std::num::NonZeroUsize;

use ember_lite::{Arena, LiteError, bench, profile, quantize_pixel};

use crate::models;

#[test]
fn the_models_own_types_go_in_and_come_out() {
    let model = models::opened(&models::int8());
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    assert_eq!(
        session.run::<i8, i8>(&[-128, -1, 127, 5]).unwrap(),
        [-128, -1, 127]
    );
    // A second run does not see the first.
    assert_eq!(session.run::<i8, i8>(&[1, 2, 3, 127]).unwrap(), [1, 2, 3]);

    let model = models::opened(&models::float32());
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    assert_eq!(
        session.run::<f32, f32>(&[0.25, -1.0, 0.5, 9.0]).unwrap(),
        [0.25, -1.0, 0.5]
    );
}

#[test]
fn real_numbers_are_quantized_and_dequantized() {
    let model = models::opened(&models::int8());
    let mut arena = model.arena().unwrap();
    let scores = model
        .session(&mut arena)
        .unwrap()
        .run_real(&[0.25, 0.0, 2.0, 1.0])
        .unwrap();
    // 0.25 * 255 is 63.75: 64 steps. 2.0 is beyond int8's range.
    assert_eq!(scores, [64.0 * (1.0 / 255.0), 0.0, 255.0 * (1.0 / 255.0)]);
}

#[test]
fn pixels_become_the_input_that_quantize_pixel_gives() {
    let pixels = [0, 77, 255, 128];
    let model = models::opened(&models::int8());
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    let scores = session.run_image(&pixels).unwrap().to_vec();
    let quantized = pixels.map(|pixel| quantize_pixel(pixel, 1.0 / 255.0, -128));
    assert_eq!(
        scores,
        quantized[..3]
            .iter()
            .map(|value| *value as u8)
            .collect::<Vec<_>>()
    );

    let model = models::opened(&models::float32());
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    let scores = session.run_image(&pixels).unwrap();
    let expected: Vec<u8> = [0.0_f32, 77.0 / 255.0, 1.0]
        .iter()
        .flat_map(|score| score.to_le_bytes())
        .collect();
    assert_eq!(scores, expected);
}

#[test]
fn many_images_become_the_inputs_of_each() {
    let pixels: Vec<u8> = (0..=255).collect();
    let model = models::opened(&models::int8());
    let inputs = model.quantize_images(&pixels).unwrap();
    assert_eq!(
        inputs,
        pixels.iter().map(|pixel| pixel ^ 0x80).collect::<Vec<_>>()
    );
    let error = model.quantize_images(&pixels[..6]).unwrap_err().to_string();
    assert!(error.contains("takes 4 values, got 2"), "{error}");
    let floats = models::opened(&models::float32())
        .quantize_images(&[0, 51, 255, 0])
        .unwrap();
    assert_eq!(
        floats,
        [0.0_f32, 0.2, 1.0, 0.0].map(f32::to_le_bytes).concat()
    );
}

#[test]
fn a_wrong_run_is_refused_with_both_sides() {
    let model = models::opened(&models::int8());
    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    let error = session.run::<f32, f32>(&[0.0; 4]).unwrap_err().to_string();
    assert!(error.contains("input 0 is INT8, not FLOAT32"), "{error}");
    let error = session.run::<i8, i8>(&[0; 5]).unwrap_err().to_string();
    assert!(
        error.contains("[1, 2, 2, 1] takes 4 values, got 5"),
        "{error}"
    );
    let error = session.input(1).unwrap_err().to_string();
    assert!(error.contains("has no input 1; it has 1"), "{error}");
    let error = session.output(7).unwrap_err().to_string();
    assert!(error.contains("has no output 7; it has 1"), "{error}");
}

#[test]
fn an_arena_of_the_bytes_needed_is_enough_and_one_less_is_not() {
    let model = models::opened(&models::int8());
    let needed = model.arena_bytes().unwrap();
    assert!(model.session(&mut Arena::with_bytes(needed)).is_ok());
    let error = model
        .session(&mut Arena::with_bytes(needed - 1))
        .err()
        .unwrap();
    assert!(matches!(error, LiteError::Prepare { .. }), "{error}");
    assert!(error.to_string().contains(&needed.to_string()), "{error}");
}

#[test]
fn a_latency_has_its_percentiles_in_order() {
    let model = models::opened(&models::float32());
    let latency = bench(&model, NonZeroUsize::new(50).unwrap()).unwrap();
    assert_eq!(latency.runs, 50);
    let figures = [
        latency.min_us,
        latency.p50_us,
        latency.p90_us,
        latency.p99_us,
    ];
    assert!(figures.is_sorted() && figures[0] > 0.0, "{figures:?}");
    assert!(latency.mean_us >= latency.min_us);
}

#[test]
fn a_profile_has_every_operator_and_is_json() {
    let model = models::opened(&models::int8());
    let profile = profile(&model, NonZeroUsize::new(20).unwrap()).unwrap();
    assert_eq!(profile.model, "bright.tflite");
    assert_eq!(profile.latency.runs, 20);
    let names: Vec<_> = profile
        .operators
        .iter()
        .map(|op| op.name.as_str())
        .collect();
    assert_eq!(names, ["FULLY_CONNECTED"]);
    assert_eq!(profile.operators[0].latency.runs, 20);
    assert!(!profile.operators[0].done_with_previous);
    let share: f64 = profile
        .operators
        .iter()
        .map(|operator| operator.share)
        .sum();
    assert!((share - 1.0).abs() < 1e-9, "{share}");
    let text = profile.to_string();
    assert!(text.contains("bright.tflite: 20 runs"), "{text}");
    assert!(text.contains("  0 FULLY_CONNECTED"), "{text}");
    let json = serde_json::to_value(&profile).unwrap();
    assert!(
        json["operators"][0]["latency"]["p99_us"].as_f64().unwrap() > 0.0,
        "{json}"
    );
}
