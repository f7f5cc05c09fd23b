//! Whole models on one thread: those of the zoo, and the shared cases where `EMBER_CASES_DIR` names them.
//!
//! `cargo bench -p ember-lite --bench models`

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use criterion::{Criterion, criterion_group, criterion_main};
use ember_lite::MappedModel;

fn models(criterion: &mut Criterion) {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts/zoo");
    let cases = env::var_os("EMBER_CASES_DIR").map(PathBuf::from);
    let mut group = criterion.benchmark_group("invoke");
    for folder in [Some(zoo), cases].into_iter().flatten() {
        let mut files = tflite_files(&folder);
        files.sort();
        for path in files {
            let model = MappedModel::open(&path).expect("a committed model can be read");
            // What cannot be run is the affair of the tests.
            let Ok(mut arena) = model.arena() else {
                eprintln!("{}: not run", path.display());
                continue;
            };
            let mut session = model.session(&mut arena).expect("the arena is its own");
            let name = path.strip_prefix(&folder).unwrap_or(&path);
            group.bench_function(name.display().to_string(), |bencher| {
                bencher.iter(|| session.invoke().expect("it was prepared"));
            });
        }
    }
    group.finish();
}

/// The models one folder down.
fn tflite_files(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let read = fs::read_dir(folder).into_iter().flatten().flatten();
        read.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let below = entries(folder).into_iter().flat_map(|path| entries(&path));
    below
        .filter(|path| path.extension().is_some_and(|end| end == "tflite"))
        .collect()
}

criterion_group!(benches, models);
criterion_main!(benches);
