//! Whole models.

use std::{env, fs, thread};

use ember_core::Dtype;
use ember_gpu::Gpu;
use ember_lite::MappedModel;

use crate::{assert_near, gpu, outputs};

/// A whole model on the GPU, on threads that share it.
fn check_model(gpu: &Gpu, name: &str, model: &MappedModel) -> usize {
    let delegated = model.delegated(&[gpu]).unwrap();
    let delegation = delegated.delegation().unwrap();
    assert_eq!(delegation.declined(), [], "{name}");
    let taken = delegation.placement().flatten().count();
    if taken > 0 {
        thread::scope(|scope| {
            for seed in 0..2 {
                let delegated = &delegated;
                scope.spawn(move || {
                    assert_near(name, &outputs(delegated, seed), &outputs(model, seed));
                });
            }
        });
    }
    taken
}

#[test]
fn the_models_of_the_zoo_are_near_the_interpreters() {
    let Some(gpu) = gpu() else { return };
    // They are checkpoints, and what makes files of these would have all of Burn's dependencies compiled a second time.
    let Some(dir) = env::var_os("EMBER_FLOAT_MODELS") else {
        eprintln!(
            "EMBER_FLOAT_MODELS is not set: `cargo xtask ci --only gpu` sets it to a folder with the models of the zoo"
        );
        return;
    };
    let mut models = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let (model, name) = (
            MappedModel::open(&path).unwrap(),
            path.display().to_string(),
        );
        let operators = model.model().unwrap().main().operator_count();
        assert_eq!(check_model(&gpu, &name, &model), operators, "{name}");
        models += 1;
    }
    assert!(models > 0, "no model is in {}", dir.display());
}

#[test]
fn other_peoples_float_models_are_near_the_interpreters() {
    let Some(gpu) = gpu() else { return };
    let Some(dir) = env::var_os("EMBER_CASES_DIR") else {
        eprintln!("EMBER_CASES_DIR is not set: the shared cases were not run on the GPU");
        return;
    };
    let mut taken = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path().join("model.tflite");
        let Ok(model) = MappedModel::open(&path) else {
            continue;
        };
        let parsed = model.model().unwrap();
        let floats = |ids: ember_tflite::TensorIds<'_>| {
            let mut ids = ids.iter().flatten();
            ids.all(|id| parsed.main().tensor(id).unwrap().dtype() == Dtype::Float32)
        };
        if floats(parsed.main().inputs())
            && floats(parsed.main().outputs())
            && model.arena().is_ok()
        {
            taken += check_model(&gpu, &path.display().to_string(), &model);
        }
    }
    assert!(taken > 0, "the GPU took nothing of the models there");
}
