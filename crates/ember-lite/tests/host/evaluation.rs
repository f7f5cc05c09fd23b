//! Evaluation: what is counted, that threads do not change it, and what is refused.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use ember_lite::{EvaluateOptions, Evaluation, Images, LiteError, MappedModel, evaluate};

use crate::models;

/// Images of 2 × 2 pixels whose brightest of the first three is at the label, but for every tenth, which lies.
fn images(count: usize) -> (Vec<u8>, Vec<u8>) {
    let mut pixels = Vec::new();
    let mut labels = Vec::new();
    for image in 0..count {
        let label = image % 3;
        let mut values = [10, 20, 30, (image % 256) as u8];
        values[label] = 200;
        pixels.extend(values);
        labels.push(if image % 10 == 9 {
            (label + 1) % 3
        } else {
            label
        } as u8);
    }
    (pixels, labels)
}

fn of(pixels: &[u8]) -> Images<'_> {
    Images {
        pixels,
        rows: 2,
        cols: 2,
    }
}

fn on(threads: usize, model: &MappedModel, pixels: &[u8], labels: &[u8]) -> Evaluation {
    let options = EvaluateOptions {
        threads: NonZeroUsize::new(threads),
        ..EvaluateOptions::default()
    };
    evaluate(model, of(pixels), labels, &options).unwrap()
}

#[test]
fn accuracy_loss_and_scores_are_those_of_single_runs() {
    let (pixels, labels) = images(200);
    let model = models::opened(&models::int8());
    let found = on(1, &model, &pixels, &labels);
    assert_eq!((found.images, found.correct, found.classes), (200, 180, 3));
    assert!((found.accuracy - 0.9).abs() < 1e-12);

    let mut arena = model.arena().unwrap();
    let mut session = model.session(&mut arena).unwrap();
    let mut loss = 0.0;
    for (index, (image, label)) in pixels.chunks(4).zip(&labels).enumerate() {
        let scores = session.run_image(image).unwrap();
        assert_eq!(found.scores_of(index), scores, "image {index}");
        // The score of a class is its pixel in 255ths; the loss is of the three normalized.
        let sum: u32 = image[..3].iter().map(|pixel| u32::from(*pixel)).sum();
        loss -= (f64::from(image[usize::from(*label)]) / f64::from(sum)).ln();
    }
    assert!(
        (found.loss - loss / 200.0).abs() < 1e-6,
        "{} {}",
        found.loss,
        loss / 200.0
    );
    assert!(found.scores_of(200).is_empty());
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (pixels, labels) = images(333);
    for bytes in [models::int8(), models::float32()] {
        let model = models::opened(&bytes);
        let alone = on(1, &model, &pixels, &labels);
        for threads in [2, 3, 16, 1_000] {
            let together = on(threads, &model, &pixels, &labels);
            assert_eq!(together, alone, "{threads} threads");
            assert_eq!(
                together.loss.to_bits(),
                alone.loss.to_bits(),
                "{threads} threads"
            );
        }
    }
}

#[test]
fn progress_goes_up_to_all_images() {
    let (pixels, labels) = images(100);
    let seen = Mutex::new(Vec::new());
    let progress = |done| seen.lock().unwrap().push(done);
    let options = EvaluateOptions {
        threads: NonZeroUsize::new(2),
        progress: &progress,
        ..EvaluateOptions::default()
    };
    evaluate(
        &models::opened(&models::int8()),
        of(&pixels),
        &labels,
        &options,
    )
    .unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 1 && seen.last() == Some(&100), "{seen:?}");
}

#[test]
fn an_evaluation_that_is_told_to_stop_stops() {
    let (pixels, labels) = images(10_000);
    let stop = AtomicBool::new(false);
    let progress = |_| stop.store(true, Ordering::Relaxed);
    for threads in [1, 4] {
        stop.store(false, Ordering::Relaxed);
        let options = EvaluateOptions {
            threads: NonZeroUsize::new(threads),
            progress: &progress,
            stop: &stop,
        };
        match evaluate(
            &models::opened(&models::int8()),
            of(&pixels),
            &labels,
            &options,
        ) {
            Err(LiteError::Stopped { done, images }) => {
                assert!(done > 0 && done < images, "{done} of {images}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_data_set_for_another_model_is_refused_with_both_sides() {
    let model = models::opened(&models::int8());
    let refused = |pixels: &[u8], rows, cols, labels: &[u8]| {
        evaluate(
            &model,
            Images { pixels, rows, cols },
            labels,
            &EvaluateOptions::default(),
        )
        .unwrap_err()
    };
    let shape = refused(&[0; 18], 3, 3, &[0, 1]).to_string();
    assert!(
        shape.contains("[1, 2, 2, 1] (4 values)") && shape.contains("3 × 3 (9 pixels)"),
        "{shape}"
    );
    let count = refused(&[0; 7], 2, 2, &[0, 1]).to_string();
    assert!(
        count.contains("7 bytes") && count.contains("need 8"),
        "{count}"
    );
    let label = refused(&[0; 8], 2, 2, &[0, 3]).to_string();
    assert!(
        label.contains("3 outputs") && label.contains("image 1 has label 3"),
        "{label}"
    );
    assert!(matches!(refused(&[], 2, 2, &[]), LiteError::NoImages));
    assert!(matches!(refused(&[], 0, 2, &[1]), LiteError::NoImages));
}
