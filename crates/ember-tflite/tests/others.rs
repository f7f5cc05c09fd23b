//! Models of others: every `.tflite` file in the folder that `EMBER_CASES_DIR` names must be accepted.

mod cases;

use ember_tflite::Model;

#[test]
fn the_models_of_others_are_accepted() {
    for (name, bytes) in cases::cases() {
        let model = Model::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let graph = model.main();
        assert!(graph.operator_count() > 0, "{name}");
        assert!(
            graph.tensors().any(|tensor| !tensor.data().is_empty()),
            "{name}"
        );
    }
}
