//! TensorFlow's own conversions of the reference CNN on all MNIST test images, where both are there: the counts and losses
//! are those of LiteRT 2.3's builtin kernels without delegates.

use std::{env, path::Path};

use ember_data::idx;
use ember_lite::{EvaluateOptions, Images, MappedModel, evaluate};

#[test]
fn accuracy_and_loss_are_litert_s() {
    let (Some(cases), Some(data)) = (
        env::var_os("EMBER_CASES_DIR"),
        env::var_os("EMBER_DATA_DIR"),
    ) else {
        eprintln!("EMBER_CASES_DIR and EMBER_DATA_DIR are not both set: MNIST was not evaluated");
        return;
    };
    let (cases, data) = (Path::new(&cases), Path::new(&data));
    let images = idx::read_images(&data.join("t10k-images-idx3-ubyte.gz")).unwrap();
    let labels = idx::read_labels(&data.join("t10k-labels-idx1-ubyte.gz"), 10)
        .unwrap()
        .0;
    for (case, correct, loss) in [
        ("seed_cnn_float32", 9784, 0.066_702_121),
        ("seed_cnn_int8", 9792, 0.072_394_367),
    ] {
        let model = MappedModel::open(&cases.join(case).join("model.tflite")).unwrap();
        let images = Images {
            pixels: &images.pixels,
            rows: images.rows,
            cols: images.cols,
        };
        let found = evaluate(&model, images, &labels, &EvaluateOptions::default()).unwrap();
        assert_eq!(found.correct, correct, "{case}");
        assert!((found.loss - loss).abs() < 1e-6, "{case}: {}", found.loss);
    }
}
