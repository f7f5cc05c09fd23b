//! Calibration: ranges as by hand, however the samples are cut into batches, and errors that name value and sample.

use ember_compress::calibrate::calibrate;
use ember_compress::{Calibration, Calibrator, CompressError, Range};
use ember_data::Split;
use ember_graph::{random, text};
use proptest::prelude::*;

fn images(count: usize, rows: usize, cols: usize) -> Split {
    let pixels: Vec<u8> = (0..count * rows * cols)
        .map(|i| (i * 37 % 256) as u8)
        .collect();
    Split::new(pixels, vec![0_u8; count], rows, cols).unwrap()
}

proptest! {
    #[test]
    fn batches_do_not_matter(seed: u64, cut in 1_usize..7) {
        let graph = random::graph(seed, 6)?;
        let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
        let samples = random::Random::new(seed).numbers(7 * one);
        let mut whole = Calibrator::new(&graph);
        whole.observe(7, &[&samples])?;
        let mut parts = Calibrator::new(&graph);
        let (first, second) = samples.split_at(cut * one);
        parts.observe(cut, &[first])?;
        if cut < 7 {
            parts.observe(7 - cut, &[second])?;
        }
        prop_assert_eq!(whole.finish()?, parts.finish()?);
    }
}

#[test]
fn ranges_as_by_hand() {
    let graph = text::parse(
        "graph g
        input x [1,2]
        constant c [1,2] = 0.5 -10
        y = add(x, c)
        z = relu(y)
        output z",
    )
    .unwrap();
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(2, &[&[1.0, 2.0, 3.0, 4.0]]).unwrap();
    calibrator.observe(1, &[&[-1.0, 11.0]]).unwrap();
    let calibration = calibrator.finish().unwrap();
    assert_eq!(calibration.samples(), 3);
    let range = |name: &str| calibration.range(graph.find(name).unwrap());
    let some = |min, max| Some(Range { min, max });
    assert_eq!(range("x"), some(-1.0, 11.0));
    assert_eq!(range("y"), some(-8.0, 3.5));
    assert_eq!(range("z"), some(0.0, 3.5));
    assert_eq!(range("c"), None);
}

#[test]
fn what_is_not_finite_is_named_and_does_not_count() {
    let graph = text::parse("graph g\ninput x [1,2]\ny = add(x, x)\noutput y").unwrap();
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(2, &[&[0.0, 1.0, 2.0, 3.0]]).unwrap();
    let error = calibrator
        .observe(2, &[&[0.0, 0.0, f32::NAN, 0.0]])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("\"x\" became NaN on sample 3"),
        "{error}"
    );
    let error = calibrator.observe(1, &[&[0.0, 3e38]]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("\"y\" became inf on sample 2"),
        "{error}"
    );
    assert_eq!(calibrator.finish().unwrap().samples(), 2);
}

#[test]
fn no_sample_is_an_error() {
    let graph = text::parse("graph g\ninput x [1,2,2,1]\ny = relu(x)\noutput y").unwrap();
    let error = Calibrator::new(&graph).finish().unwrap_err();
    assert!(matches!(error, CompressError::NoSamples));
    let error = calibrate(&graph, &images(0, 2, 2), 200, 0).unwrap_err();
    assert!(matches!(error, CompressError::NoSamples));
}

#[test]
fn images_become_numbers_from_0_to_1() {
    let graph = text::parse("graph g\ninput x [1,2,2,1]\ny = relu(x)\noutput y").unwrap();
    let split = Split::new([10_u8, 20, 30, 255], [0_u8], 2, 2).unwrap();
    let calibration = calibrate(&graph, &split, 200, 0).unwrap();
    let range = calibration.range(graph.inputs[0]).unwrap();
    assert_eq!((range.min, range.max), (10.0 / 255.0, 1.0));
    let drawn = calibrate(&graph, &images(300, 2, 2), 120, 7).unwrap();
    assert_eq!(drawn.samples(), 120);
    assert_eq!(
        drawn,
        calibrate(&graph, &images(300, 2, 2), 120, 7).unwrap()
    );
}

#[test]
fn images_that_do_not_fit_are_refused() {
    let graph = text::parse("graph g\ninput x [1,2,2,1]\ny = relu(x)\noutput y").unwrap();
    let error = calibrate(&graph, &images(1, 3, 2), 200, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the images are 3x2 with one channel, and the input \"x\" has the shape [1, 2, 2, 1]"
    );
    let two =
        text::parse("graph g\ninput x [1,4]\ninput y [1,4]\nz = add(x, y)\noutput z").unwrap();
    let error = calibrate(&two, &images(1, 2, 2), 200, 0).unwrap_err();
    assert!(error.to_string().contains("\"g\" has 2"), "{error}");
}

#[test]
fn stored_ranges_come_back() {
    let graph = text::parse("graph g\ninput x [1,2]\ny = relu(x)\noutput y").unwrap();
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(1, &[&[-1.0, 2.5]]).unwrap();
    let calibration = calibrator.finish().unwrap();
    let stored: Vec<_> = calibration.named(&graph).collect();
    assert_eq!(stored.len(), 2);
    let again = Calibration::from_named(&graph, 1, stored.iter().copied()).unwrap();
    assert_eq!(again, calibration);

    let strange = [("z", Range { min: 0.0, max: 1.0 })];
    let error = Calibration::from_named(&graph, 1, strange).unwrap_err();
    assert!(error.to_string().contains("\"z\""), "{error}");
    let swapped = [("x", Range { min: 1.0, max: 0.0 })];
    assert!(Calibration::from_named(&graph, 1, swapped).is_err());
}

#[test]
fn samples_that_are_all_alike_are_refused() {
    let graph = text::parse("graph g\ninput x [1,2,2,1]\ny = relu(x)\noutput y").unwrap();
    let error = |pixels: &[u8], count: usize| {
        let split = Split::new(pixels.to_vec(), vec![0_u8; count], 2, 2).unwrap();
        calibrate(&graph, &split, 200, 0).unwrap_err().to_string()
    };
    let black = error(&[0; 8], 2);
    assert!(
        black.starts_with("the 2 calibration samples are constant"),
        "{black}"
    );
    let alike = error(&[1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], 3);
    assert!(
        alike.starts_with("the 3 calibration samples are constant"),
        "{alike}"
    );
    let one = Split::new(vec![1_u8, 2, 3, 4], vec![0_u8], 2, 2).unwrap();
    assert!(calibrate(&graph, &one, 200, 0).is_ok());
}
