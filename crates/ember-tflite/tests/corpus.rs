//! The fuzzer's corpus, `fuzz/corpus/read/`, is made of the samples: this test makes it and finds it stale.
//!
//! After a change of the samples or of the writer, make it again:
//!
//! ```text
//! EMBER_BLESS=1 cargo test -p ember-tflite --features write --test corpus
//! ```

#![cfg(feature = "write")]

mod samples;

use std::path::Path;

use ember_tflite::write::write;

#[test]
fn the_corpus_is_what_the_samples_write() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/read");
    for (name, spec) in samples::all() {
        let file = folder.join(name).with_extension("tflite");
        let bytes = write(&spec).unwrap_or_else(|error| panic!("{name}: {error}"));
        if std::env::var_os("EMBER_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &bytes).unwrap();
        }
        let committed =
            std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(
            committed == bytes,
            "{} is stale: see the head of this test",
            file.display()
        );
    }
}
