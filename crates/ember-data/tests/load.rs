//! Loading a data set: which place it is had from, and what is said when it cannot be.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ember_data::{
    DataError, Dataset, DatasetSource, Event, LoadOptions, Loaded, SyntheticOptions, load,
};

/// A folder with four plain IDX files: 6 training and 3 test images of 2×2 pixels.
fn small_set(folder: &Path, test_prefix: &str) {
    let images = |count: u8| {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2];
        bytes.extend((0..4 * count).map(|pixel| pixel * 3));
        bytes
    };
    let labels = |count: u8| {
        let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, count];
        bytes.extend((0..count).map(|index| 9 - index));
        bytes
    };
    std::fs::create_dir_all(folder).unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte".to_owned(), images(6)),
        ("train-labels-idx1-ubyte".to_owned(), labels(6)),
        (format!("{test_prefix}-images-idx3-ubyte"), images(3)),
        (format!("{test_prefix}-labels-idx1-ubyte"), labels(3)),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// No data, and a mirror on a port where nobody listens.
fn without_anything(root: &Path) -> LoadOptions {
    LoadOptions {
        data_dir: None,
        datasets_dir: root.join("datasets"),
        classes: 10,
        mirrors: Some(vec!["http://127.0.0.1:1/mnist".to_owned()]),
        patience: Duration::from_secs(5),
        synthetic: SyntheticOptions {
            seed: 1,
            train: 40,
            test: 20,
        },
    }
}

fn try_load(source: &DatasetSource, options: &LoadOptions) -> Result<Loaded, DataError> {
    load(source, options, &|_| {})
}

fn error_for(folder: &Path) -> String {
    let root = tempfile::tempdir().unwrap();
    let source = DatasetSource::Path(folder.to_owned());
    try_load(&source, &without_anything(root.path()))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_folder_is_read_whatever_its_names_and_sizes() {
    let root = tempfile::tempdir().unwrap();
    let options = without_anything(root.path());
    let mut fingerprints = Vec::new();
    for prefix in ["t10k", "test"] {
        let folder = root.path().join(prefix);
        small_set(&folder, prefix);
        let loaded = try_load(&DatasetSource::Path(folder.clone()), &options).unwrap();
        let Dataset {
            name, train, test, ..
        } = &loaded.dataset;
        assert_eq!(name, prefix);
        assert_eq!((train.len(), test.len()), (6, 3));
        assert_eq!((train.rows(), train.cols()), (2, 2));
        assert_eq!(train.image(1), [12, 15, 18, 21]);
        assert_eq!(test.labels(), [9, 8, 7]);
        assert_eq!(loaded.fallback, None);
        fingerprints.push(loaded.dataset.fingerprint);
    }
    assert_eq!(
        fingerprints[0], fingerprints[1],
        "the same images in other files"
    );
}

#[test]
fn a_folder_without_the_files_says_which_and_what_is_there() {
    let root = tempfile::tempdir().unwrap();
    let error = error_for(root.path());
    assert!(error.contains("no file for the training images"), "{error}");
    assert!(error.contains("found no files"), "{error}");
    small_set(root.path(), "t10k");
    std::fs::remove_file(root.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let error = error_for(root.path());
    assert!(error.contains("t10k-labels* or test-labels*"), "{error}");
    assert!(
        error.contains("found t10k-images-idx3-ubyte, train-images"),
        "{error}"
    );
}

#[test]
fn a_path_that_is_no_folder_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    assert!(error_for(&root.path().join("nowhere")).contains("nowhere"));
    let file = root.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(error_for(&file).contains("is not a folder"));
}

#[test]
fn two_sets_in_one_folder_are_not_mixed() {
    let root = tempfile::tempdir().unwrap();
    small_set(root.path(), "t10k");
    small_set(root.path(), "test");
    let error = error_for(root.path());
    assert!(
        error.contains("several files for the test images"),
        "{error}"
    );
}

#[test]
fn files_of_different_sets_are_told_apart() {
    let root = tempfile::tempdir().unwrap();
    small_set(root.path(), "t10k");
    let path = root.path().join("t10k-labels-idx1-ubyte");
    std::fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 2, 1, 2]).unwrap();
    let error = error_for(root.path());
    assert!(error.contains("has 3 images but"), "{error}");
    small_set(root.path(), "t10k");
    let path = root.path().join("t10k-images-idx3-ubyte");
    std::fs::write(
        &path,
        [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 7, 8, 9],
    )
    .unwrap();
    let error = error_for(root.path());
    assert!(
        error.contains("2x2 pixels but test images of 1x1"),
        "{error}"
    );
}

#[test]
fn mnist_is_not_another_set_in_the_same_files() {
    let root = tempfile::tempdir().unwrap();
    let options = without_anything(root.path());
    small_set(&options.datasets_dir.join("mnist"), "t10k");
    for source in [DatasetSource::Mnist, DatasetSource::Auto] {
        let error = try_load(&source, &options).unwrap_err();
        assert!(matches!(error, DataError::WrongChecksum { .. }), "{error}");
    }
}

#[test]
fn auto_draws_digits_and_says_why_when_there_is_no_network() {
    let root = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let loaded = try_load(&DatasetSource::Auto, &without_anything(root.path())).unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(loaded.dataset.name, "synthetic");
    assert_eq!(
        (loaded.dataset.train.len(), loaded.dataset.test.len()),
        (40, 20)
    );
    let why = loaded.fallback.unwrap();
    assert!(
        why.contains("cannot download train-images-idx3-ubyte.gz"),
        "{why}"
    );
    assert!(why.contains("EMBER_DATA_DIR"), "{why}");
    let left: Vec<PathBuf> = root
        .path()
        .join("datasets/mnist")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "nothing half-written is left");
}

#[test]
fn mnist_without_network_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let error = try_load(&DatasetSource::Mnist, &without_anything(root.path())).unwrap_err();
    assert!(matches!(error, DataError::Download { .. }), "{error}");
}

#[test]
fn a_corrupt_file_is_not_hidden_by_auto() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("corrupt");
    small_set(&folder, "t10k");
    let path = folder.join("train-images-idx3-ubyte");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.pop();
    std::fs::write(&path, bytes).unwrap();
    let options = LoadOptions {
        data_dir: Some(folder),
        ..without_anything(root.path())
    };
    let error = try_load(&DatasetSource::Auto, &options).unwrap_err();
    assert!(matches!(error, DataError::Truncated { .. }), "{error}");
}

#[test]
fn places_that_were_left_are_reported() {
    let root = tempfile::tempdir().unwrap();
    let options = LoadOptions {
        data_dir: Some(root.path().join("empty")),
        ..without_anything(root.path())
    };
    let seen = Mutex::new(Vec::new());
    let _ = load(&DatasetSource::Auto, &options, &|event| {
        seen.lock().unwrap().push(match event {
            Event::Skipped { place, .. } => {
                format!("skipped {}", place.file_name().unwrap().display())
            }
            Event::MirrorFailed { url, .. } => format!("failed {url}"),
            Event::Drawing { done, total } if done == total => "drawn".to_owned(),
            _ => String::new(),
        });
    });
    let mut seen = seen.into_inner().unwrap();
    seen.retain(|event| !event.is_empty());
    assert_eq!(
        seen,
        [
            "skipped empty",
            "failed http://127.0.0.1:1/mnist/train-images-idx3-ubyte.gz",
            "drawn"
        ]
    );
}

/// Where MNIST itself is at hand, it is read and recognised.
#[test]
fn the_real_mnist_is_read() {
    let root = tempfile::tempdir().unwrap();
    let Some(data_dir) = std::env::var_os("EMBER_DATA_DIR") else {
        eprintln!("EMBER_DATA_DIR is not set: not tested");
        return;
    };
    let options = LoadOptions {
        data_dir: Some(data_dir.into()),
        ..without_anything(root.path())
    };
    let loaded = try_load(&DatasetSource::Auto, &options).unwrap();
    assert_eq!(loaded.dataset.name, "mnist");
    assert_eq!(
        (loaded.dataset.train.len(), loaded.dataset.test.len()),
        (60_000, 10_000)
    );
    let ink: u64 = loaded
        .dataset
        .train
        .images()
        .iter()
        .map(|pixel| u64::from(*pixel))
        .sum();
    let mean = ink as f64 / 255.0 / loaded.dataset.train.images().len() as f64;
    assert!(
        (mean - 0.1307).abs() < 0.0001,
        "the mean that every MNIST example uses: {mean}"
    );
}
