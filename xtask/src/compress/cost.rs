//! What a compression cost, and what it saved: the float model and its int8 form, before and after.

use anyhow::Result;
use ember_codegen::tflite::{self, Decoder};
use ember_compress::{calibrate, quantize};
use ember_graph::Graph;
use ember_lite::MappedModel;
use ember_report::{Entry, Heading, Sheet, TerminalStyle, Variant};

use crate::app::App;
use crate::stages::data::Data;
use crate::stages::eval;

/// Training images that calibrate the int8 forms, and the seed that draws them.
const REPRESENTATIVE: (usize, u64) = (200, 0);

/// Shows a model before and after: the float file, and the int8 file with its weights stored in the fewest bytes that a chip
/// decodes.
///
/// # Errors
/// A graph that cannot be quantized, or images that do not fit it.
pub fn show(app: &App, data: &Data, title: &str, steps: &[(&str, &Graph)]) -> Result<()> {
    let mut sheet = sheet(&format!("{title} on {}", data.dataset.name));
    for (step, graph) in steps {
        app.go_on()?;
        let float = tflite::float32(graph)?;
        row(app, data, &mut sheet, &format!("{step}, float32"), &float)?;
        let (images, seed) = REPRESENTATIVE;
        let ranges = calibrate::calibrate(graph, &data.dataset.train, images, seed)?;
        let (int8, _) = tflite::compressed(&quantize(graph, &ranges)?, Decoder::Ember)?;
        row(app, data, &mut sheet, &format!("{step}, int8"), &int8)?;
    }
    sheet.note(
        "Bytes. The int8 rows are for comparison: weights stored in the form of fewest bytes that the kernels decode on a chip. \
         `cargo xtask quantize --store ember` writes such a file.",
    );
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    Ok(())
}

/// An empty table for [`row`].
pub fn sheet(title: &str) -> Sheet {
    Sheet::new(
        title,
        &[
            Heading::Words("model"),
            Heading::Figures("file"),
            Heading::Figures("gzip"),
            Heading::Figures("weights"),
            Heading::Figures("accuracy"),
            Heading::Figures("loss"),
            Heading::Figures("host µs"),
        ],
    )
}

/// Evaluates a model file and adds its row; its figures.
///
/// # Errors
/// A model that cannot run, or images that do not fit it.
pub fn row(app: &App, data: &Data, sheet: &mut Sheet, name: &str, bytes: &[u8]) -> Result<Variant> {
    let model = MappedModel::from_bytes(bytes, name)?;
    let (variant, _) = eval::of_model(app, data, name, name, &model)?;
    let text = |number: Option<String>| number.map_or(Entry::None, Entry::Text);
    sheet.row([
        name.to_owned().into(),
        Entry::Count(variant.file_bytes),
        Entry::count(variant.gzip_bytes),
        Entry::Count(variant.weight_bytes),
        Entry::percent(variant.test_accuracy),
        text(variant.test_loss.map(|loss| format!("{loss:.4}"))),
        text(
            variant
                .latency
                .as_ref()
                .map(|time| format!("{:.1}", time.p50_us)),
        ),
    ]);
    Ok(variant)
}
