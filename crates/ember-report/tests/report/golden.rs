//! The Markdown of two fixed reports is held against committed text. `EMBER_BLESS=1 cargo test -p ember-report`
//! writes the text anew; read the difference before committing it.

use crate::sample;

use std::{env, fs, path::PathBuf};

use ember_report::Report;

fn holds(name: &str, report: &Report) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let written = report.to_markdown().expect("the sample is plausible");
    if env::var_os("EMBER_BLESS").is_some() {
        fs::write(&path, &written).expect("the golden can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    for (number, (written, expected)) in written.lines().zip(expected.lines()).enumerate() {
        assert_eq!(written, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(
        written.len(),
        expected.len(),
        "{name}: one text goes on where the other ends"
    );
}

#[test]
fn a_complete_run() {
    holds("complete.md", &sample::complete());
}

#[test]
fn a_run_on_drawn_digits_that_stopped_early() {
    holds("synthetic.md", &sample::synthetic_without_device());
}
