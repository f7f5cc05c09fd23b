//! Files: what is written can be read, a wrong figure stops everything, and nothing is left half-written.

use crate::sample;

use std::{fs, path::Path};

use ember_report::{Report, ReportError};

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("runs/sample");
    let report = sample::complete();
    let written = report.write_all(&run).unwrap();
    assert_eq!(written.len(), 6);
    assert_eq!(
        names(&run),
        [
            "operators.svg",
            "report.html",
            "report.json",
            "report.md",
            "size-accuracy.svg",
            "training-curve.svg"
        ]
    );
    assert_eq!(Report::read(&run.join("report.json")).unwrap(), report);
    for plot in written
        .iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "svg"))
    {
        let text = fs::read_to_string(plot).unwrap();
        roxmltree::Document::parse(&text).unwrap();
        assert!(text.contains("prefers-color-scheme: dark"));
    }
}

#[test]
fn a_plot_of_an_earlier_run_does_not_stay() {
    let dir = tempfile::tempdir().unwrap();
    sample::complete().write_all(dir.path()).unwrap();
    sample::synthetic_without_device()
        .write_all(dir.path())
        .unwrap();
    assert_eq!(
        names(dir.path()),
        [
            "report.html",
            "report.json",
            "report.md",
            "training-curve.svg"
        ]
    );
}

#[test]
fn the_contract_has_numbers_under_the_names_agreed() {
    let json: serde_json::Value =
        serde_json::from_str(&sample::complete().to_json().unwrap()).unwrap();
    assert_eq!(json["dataset"], "mnist");
    for field in ["epochs", "seconds", "test_accuracy"] {
        assert!(json["training"][field].is_number(), "training.{field}");
    }
    for field in [
        "file_bytes",
        "weight_bytes",
        "test_accuracy",
        "test_loss",
        "arena_bytes",
    ] {
        assert!(json["variants"][1][field].is_number(), "variants[].{field}");
    }
    for field in [
        "flash_bytes",
        "code_bytes",
        "model_bytes",
        "static_ram_bytes",
        "arena_bytes",
        "stack_bytes",
        "instructions_per_inference",
        "images",
        "mismatches_with_host",
        "accuracy",
    ] {
        assert!(json["device"][0][field].is_number(), "device[].{field}");
    }
}

#[test]
fn a_stage_that_did_not_run_is_null_not_zero() {
    let json: serde_json::Value =
        serde_json::from_str(&Report::default().to_json().unwrap()).unwrap();
    assert!(json["training"].is_null());
    assert_eq!(json["device"], serde_json::json!([]));
}

/// A way to spoil a report, and the field that the error must name.
type Fault = (&'static str, fn(&mut Report));

#[test]
fn a_figure_that_cannot_be_true_is_refused_with_its_field_and_nothing_is_written() {
    let faults: [Fault; 7] = [
        ("training.test_accuracy", |report| {
            report.training.as_mut().unwrap().test_accuracy = 97.7
        }),
        ("training.history[2].val_loss", |report| {
            report.training.as_mut().unwrap().history[2].val_loss = Some(f64::NAN);
        }),
        ("variants[1].test_loss", |report| {
            report.variants[1].test_loss = Some(-0.1)
        }),
        ("variants[0].weight_bytes", |report| {
            report.variants[0].weight_bytes = 1 << 40
        }),
        ("variants[0].latency.p99_us", |report| {
            report.variants[0].latency.as_mut().unwrap().p99_us = f64::INFINITY;
        }),
        ("device[1].flash_bytes", |report| {
            report.device[1].flash_bytes += 4
        }),
        ("device[0].mismatches_with_host", |report| {
            report.device[0].mismatches_with_host = 10_001
        }),
    ];
    for (expected, spoil) in faults {
        let mut report = sample::complete();
        spoil(&mut report);
        let dir = tempfile::tempdir().unwrap();
        match report.write_all(dir.path()) {
            Err(ReportError::Implausible { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
        assert!(names(dir.path()).is_empty(), "{expected}");
    }
}

#[test]
fn a_file_that_is_no_report_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    let newer = sample::complete()
        .to_json()
        .unwrap()
        .replacen("\"format\": 1", "\"format\": 2", 1);
    for (text, part) in [
        ("", "EOF"),
        ("{}", "format"),
        ("[1]", "line 1"),
        (newer.as_str(), "format 2, expected 1"),
    ] {
        fs::write(&path, text).unwrap();
        let error = Report::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("report.json") && error.contains(part),
            "{error}"
        );
    }
    let missing = Report::read(&dir.path().join("none.json"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("none.json") && missing.contains("read"),
        "{missing}"
    );
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    // A folder where the file belongs: it cannot be renamed over, whoever runs the test.
    fs::create_dir(dir.path().join("report.md")).unwrap();
    fs::write(dir.path().join("report.md/keep"), "").unwrap();
    let error = sample::complete().write_all(dir.path()).unwrap_err();
    assert!(error.to_string().contains("report.md"), "{error}");
    assert!(!names(dir.path()).iter().any(|name| name.ends_with(".part")));
}
