//! Clipping: as by hand where that can be done, and better than none where there is something to gain.

use ember_compress::{Calibrator, Clipping, Range, magnitude};
use ember_graph::random::Random;
use ember_graph::{Graph, text};
use proptest::prelude::*;

/// The sum of 12 uniform numbers, nearly a normal distribution of deviation 1.
fn normal(random: &mut Random) -> f32 {
    (0..12).map(|_| random.signed_unit() * 0.5).sum()
}

fn square_error(numbers: &[f32], limit: i8, clip: f32) -> f64 {
    let scale = f64::from(clip) / f64::from(limit);
    let limit = f64::from(limit);
    let error = |number: &f32| {
        let rounded = (f64::from(*number) / scale).round().clamp(-limit, limit) * scale;
        (f64::from(*number) - rounded).powi(2)
    };
    numbers.iter().map(error).sum()
}

proptest! {
    #[test]
    fn no_clip_is_beyond_what_there_is(numbers in prop::collection::vec(-1e3_f32..1e3, 0..60), limit in prop::sample::select(vec![7_i8, 127])) {
        let greatest = numbers.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
        for clipping in [Clipping::MinMax, Clipping::Percentile(90.0), Clipping::Mse, Clipping::Octav] {
            let clip = magnitude(&numbers, limit, clipping);
            prop_assert!(clip.is_finite() && clip <= greatest && (clip > 0.0) == (greatest > 0.0), "{} {}", clipping, clip);
        }
    }

    #[test]
    fn the_least_square_error_is_not_above_that_of_everything(seed: u64) {
        let numbers = Random::new(seed).numbers(50);
        let error = |clipping| square_error(&numbers, 7, magnitude(&numbers, 7, clipping));
        prop_assert!(error(Clipping::Mse) <= error(Clipping::MinMax));
    }
}

#[test]
fn percentiles_as_by_hand() {
    let numbers: Vec<f32> = (1..=100)
        .map(|i| if i % 2 == 0 { i as f32 } else { -i as f32 })
        .collect();
    for (percent, expected) in [(100.0, 100.0), (99.0, 99.0), (50.5, 51.0)] {
        assert_eq!(
            magnitude(&numbers, 127, Clipping::Percentile(percent)),
            expected
        );
    }
    let mut pruned = vec![0.0; 100];
    pruned[3] = -2.0;
    assert_eq!(magnitude(&pruned, 127, Clipping::Percentile(90.0)), 2.0);
}

/// Of a normal distribution in 4 bits the best clip lies near 2.55 deviations (Banner et al., "Post-training 4-bit
/// quantization of convolution networks for rapid-deployment", 2019, table 1), far below the greatest number.
#[test]
fn four_bits_of_a_normal_distribution_are_clipped_where_theory_says() {
    let mut random = Random::new(5);
    let numbers: Vec<f32> = (0..20_000).map(|_| normal(&mut random)).collect();
    let all = magnitude(&numbers, 7, Clipping::MinMax);
    assert!(all > 3.5, "{all}");
    for clipping in [Clipping::Mse, Clipping::Octav] {
        let clip = magnitude(&numbers, 7, clipping);
        assert!((2.2..2.9).contains(&clip), "{clipping} {clip}");
        let gain = square_error(&numbers, 7, all) / square_error(&numbers, 7, clip);
        assert!(gain > 1.4, "{clipping} {gain}");
    }
}

fn calibrated(graph: &Graph, numbers: &[f32], batch: usize, clipping: Clipping) -> Range {
    let mut calibrator = Calibrator::clipping(graph, clipping);
    let one = numbers.len() / batch;
    for sample in numbers.chunks(one) {
        calibrator.observe(1, &[sample]).unwrap();
    }
    calibrator.finish().unwrap().range(graph.inputs[0]).unwrap()
}

#[test]
fn an_outlier_does_not_decide_the_range_of_activations() {
    let graph = text::parse("graph g\ninput x [1,1000]\ny = relu(x)\noutput y").unwrap();
    let mut random = Random::new(7);
    let mut numbers: Vec<f32> = (0..4000).map(|_| normal(&mut random)).collect();
    numbers[1234] = 100.0;
    let all = calibrated(&graph, &numbers, 4, Clipping::MinMax);
    assert_eq!(all.max, 100.0);
    for clipping in [Clipping::Percentile(99.9), Clipping::Mse, Clipping::Octav] {
        let range = calibrated(&graph, &numbers, 4, clipping);
        assert!((-6.0..-2.0).contains(&range.min), "{clipping} {range:?}");
        // To the mean square error one number of 4000 is worth more than finer steps for all others.
        let greatest = match clipping {
            Clipping::Percentile(_) => 2.0..6.0,
            _ => 90.0..100.1,
        };
        assert!(greatest.contains(&range.max), "{clipping} {range:?}");
        // The order of the samples does not matter.
        let (first, second) = numbers.split_at(2000);
        let turned = [second, first].concat();
        assert_eq!(calibrated(&graph, &turned, 4, clipping), range);
    }
}

#[test]
fn an_even_distribution_is_left_whole() {
    let graph = text::parse("graph g\ninput x [1,256]\ny = relu(x)\noutput y").unwrap();
    let numbers: Vec<f32> = (0..512).map(|i| (i % 256) as f32 / 255.0).collect();
    for clipping in [Clipping::Percentile(100.0), Clipping::Mse, Clipping::Octav] {
        let shifted: Vec<f32> = numbers.iter().rev().copied().collect();
        let both = [&numbers[..300], &shifted[..212]].concat();
        let range = calibrated(&graph, &both, 2, clipping);
        assert_eq!(range.min, 0.0);
        assert!(range.max > 0.98, "{clipping} {range:?}");
    }
}

#[test]
fn clippings_have_names() {
    for text in ["min-max", "percentile:99.99", "mse", "octav"] {
        assert_eq!(text.parse::<Clipping>().unwrap().to_string(), text);
    }
    for text in ["max", "percentile:", "percentile:101", "percentile:nan", ""] {
        assert!(text.parse::<Clipping>().is_err(), "{text}");
    }
}
