//! The debugger's figures: in the table, in the files and in the drawing, the worst layer first.

use std::fs;

use ember_compress::debug::{DebugReport, Debugger};
use ember_compress::{Calibrator, quantize};
use ember_graph::text;
use ember_report::{LayerLoss, Loss, QuantizationLoss};

fn loss(snr_db: Option<f64>) -> Loss {
    Loss {
        snr_db,
        cosine: 0.999_912_3,
        max_error: 0.012_345,
    }
}

fn sample() -> QuantizationLoss {
    let layer = |layer: &str, own: Option<f64>, weights: Option<&str>| LayerLoss {
        layer: layer.to_owned(),
        op: "conv_2d".to_owned(),
        weights: weights.map(str::to_owned),
        activations: "int8".to_owned(),
        own: loss(own),
        total: loss(Some(21.04)),
        weights_snr_db: own.map(|snr| snr + 10.0),
    };
    QuantizationLoss {
        samples: 200,
        layers: vec![
            layer("broken", Some(-3.5), Some("int4")),
            layer(
                "model/block_1/<expand>/depthwise/conv",
                Some(18.0),
                Some("int8"),
            ),
            layer("pool", None, None),
        ],
        outputs: loss(Some(20.5)),
    }
}

#[test]
fn every_figure_is_in_the_table() {
    let text = sample().sheet("nano").to_markdown();
    assert!(
        text.starts_with("## What quantization costs nano\n"),
        "{text}"
    );
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("| conv_2d"))
        .collect();
    assert_eq!(rows.len(), 3, "{text}");
    for (row, expected) in [
        (
            rows[0],
            [
                "broken", "int4", "-3.5", "0.999912", "1.235e-2", "6.5", "21.0",
            ],
        ),
        (
            rows[1],
            [
                "&lt;expand>",
                "int8",
                "18.0",
                "0.999912",
                "1.235e-2",
                "28.0",
                "21.0",
            ],
        ),
        (
            rows[2],
            ["pool", "–", "int8", "0.999912", "1.235e-2", "–", "21.0"],
        ),
    ] {
        for figure in expected {
            assert!(row.contains(figure), "{figure} is not in {row}");
        }
    }
    assert!(
        text.contains("the model's outputs") && text.contains("20.5"),
        "{text}"
    );
    assert!(text.contains("Over 200 samples"), "{text}");
}

#[test]
fn the_files_are_complete_and_the_drawing_is_well_formed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("debug");
    let written = sample().write_all("nano", &folder).unwrap();
    let names: Vec<String> = (written.iter())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["json", "md", "txt", "svg"].map(|extension| format!("quantization-loss.{extension}"))
    );
    let [json, markdown, plain, svg] =
        [0, 1, 2, 3].map(|i| fs::read_to_string(&written[i]).unwrap());
    assert_eq!(
        serde_json::from_str::<QuantizationLoss>(&json).unwrap(),
        sample()
    );
    assert!(markdown.contains("(quantization-loss.svg)"), "{markdown}");
    assert!(
        plain.contains("broken") && !plain.contains('\u{1b}'),
        "{plain}"
    );
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> = (document.descendants())
        .filter_map(|node| node.is_text().then(|| node.text()).flatten())
        .map(str::trim)
        .collect();
    let place = |text: &str| texts.iter().position(|found| found.contains(text));
    for text in [
        "-3.5 dB, cosine 0.99991, at most 1.23e-2",
        "18.0 dB",
        "nothing lost",
        "20.5 dB",
        "…",
        "int4, int8",
    ] {
        assert!(place(text).is_some(), "{text} is not in {texts:?}");
    }
    assert!(place("broken") < place("pool"), "{texts:?}");
    assert!(svg.contains("prefers-color-scheme: dark"));
}

#[test]
fn the_debuggers_own_report_is_read() {
    let graph = text::parse(
        "graph g
        input x [1,2]
        constant w [2,2] = 0.3 -1 0.7 0.11
        constant b [2] = 0.1 0
        y = fully_connected(x, w, b)
        output y",
    )
    .unwrap();
    let samples = [0.1, 0.9, -0.3, 0.4, 0.77, -0.2];
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(3, &[&samples]).unwrap();
    let quantized = quantize(&graph, &calibrator.finish().unwrap()).unwrap();
    let mut debugger = Debugger::new(&graph, &quantized).unwrap();
    debugger.observe(3, &[&samples]).unwrap();
    let measured = debugger.finish().unwrap();
    let json = serde_json::to_string(&measured).unwrap();
    let loss: QuantizationLoss = serde_json::from_str(&json).unwrap();
    assert_eq!(loss.samples, 3);
    assert_eq!(loss.layers[0].layer, "y");
    let snr = loss.layers[0].own.snr_db.zip(measured.layers[0].own.snr_db);
    assert!(
        snr.is_some_and(|(read, measured)| (read - measured).abs() < 1e-9),
        "{json}"
    );
    assert!(
        loss.layers[0].own.snr_db.is_some_and(|snr| snr > 20.0),
        "{json}"
    );
    assert_eq!(loss.layers[0].weights.as_deref(), Some("int8"));
    let again = loss.to_json().unwrap();
    let back: DebugReport = serde_json::from_str(&again).unwrap();
    // Reading may err in the last bit of a figure.
    let error = |report: &DebugReport| report.layers[0].total.max_error;
    assert!((error(&back) - error(&measured)).abs() < 1e-12, "{again}");
    assert_eq!(back.layers[0].op, "fully_connected");
}

#[test]
fn a_figure_that_is_none_cannot_be_written() {
    let mut broken = sample();
    broken.layers[0].total.max_error = f64::NAN;
    let dir = tempfile::tempdir().unwrap();
    let error = broken
        .write_all("nano", dir.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("layers[0].total is NaN"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
