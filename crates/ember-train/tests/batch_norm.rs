//! Models with batch norms: trained, and trained for low precision with the batch norms folded.

mod digits;

use ember_compress::optimize;
use ember_graph::{Op, checkpoint, eval};
use ember_train::Compression;
use ember_train::compression::WeightBits;
use ember_train::job::{MODEL_FILE, Start};

use digits::{draw, qat, quantized, right, settings, train, trained, whole};

const MODEL: &str = "small-cnn-bn";

#[test]
fn batch_norms_learn_and_can_be_folded() {
    let data = draw(2600, 500);
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(MODEL, 6, Compression::default());
    let record = whole(&data, settings, [None, Some(folder.path())]).unwrap();
    assert!(record.test_accuracy > 0.9, "{}", record.test_accuracy);
    let graph = trained(folder.path());
    let numbers = |name: &str| graph.constant(graph.find(name).unwrap()).unwrap().to_vec();
    // The moving averages have left their start, and variances are variances.
    assert!(numbers("batch_norm.mean").iter().all(|mean| *mean != 0.0));
    let variances = numbers("batch_norm_1.variance");
    assert!(
        variances
            .iter()
            .all(|variance| *variance >= 0.0 && *variance != 1.0)
    );

    let (folded, _) = optimize(&graph).unwrap();
    let norm = |op: &Op| matches!(op, Op::BatchNorm { .. });
    assert!(!folded.nodes.iter().any(|node| norm(&node.op)));
    let pixels = data.test.images().iter();
    let pixels: Vec<f32> = pixels.map(|pixel| f32::from(*pixel) / 255.0).collect();
    let [whole, folded] = [&graph, &folded].map(|graph| {
        eval::evaluate(graph, data.test.len(), &[&pixels])
            .unwrap()
            .remove(0)
    });
    for (whole, folded) in whole.iter().zip(&folded) {
        assert!((whole - folded).abs() < 1e-4, "{whole} {folded}");
    }
}

/// The share of test images that the quantized model gets right is the one that the training measured.
#[test]
fn the_quantized_model_is_the_one_that_was_trained_with_batch_norms() {
    let data = draw(2600, 4000);
    let base = tempfile::tempdir().unwrap();
    let plain = settings(MODEL, 6, Compression::default());
    let float = whole(&data, plain, [None, Some(base.path())]).unwrap();
    for (bits, init, loss) in [
        (WeightBits::Int8, false, 0.02),
        (WeightBits::Int8, true, 0.01),
        (WeightBits::Int4, true, 0.03),
        (WeightBits::Ternary, true, 0.06),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let init = init.then(|| base.path());
        let settings = settings(MODEL, 6, qat(bits));
        let record = whole(&data, settings, [init, Some(folder.path())]).unwrap();
        let accuracy = record.test_accuracy;
        assert!(
            accuracy > float.test_accuracy - loss,
            "{bits:?}: {accuracy}, float {}",
            float.test_accuracy
        );
        let images = data.test.len() as f64;
        let exported = right(&quantized(folder.path()), &data) as f64 / images;
        assert!(
            (accuracy - exported).abs() <= 0.0005,
            "{bits:?}: trained {accuracy}, exported {exported}"
        );
    }
}

#[test]
fn an_interrupted_training_keeps_the_moving_averages() {
    let data = digits::digits();
    for compression in [Compression::default(), qat(WeightBits::Int8)] {
        let [once, twice] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let settings = settings(MODEL, 2, compression);
        let at_once = whole(&data, settings.clone(), [None, Some(once.path())]).unwrap();
        let folders = [None, Some(twice.path())];
        let stopped = train(&data, settings.clone(), folders, Start::New, 11).unwrap();
        assert!(stopped.is_none());
        let resumed = train(&data, settings, folders, Start::Resume, u64::MAX).unwrap();
        assert_eq!(
            resumed.unwrap().checkpoint_sha256,
            at_once.checkpoint_sha256
        );
        let load = |folder: &tempfile::TempDir| checkpoint::load(&folder.path().join(MODEL_FILE));
        assert_eq!(load(&once).unwrap().graph, load(&twice).unwrap().graph);
    }
}
