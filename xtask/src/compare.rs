//! `cargo xtask compare`: what each way of making a trained model smaller costs and saves, in the file, on the host and on an
//! emulated chip.
//!
//! Nothing is trained here: pruned and clustered rows are those weights put in place of the trained ones, and their
//! accuracy is what is left without fine-tuning.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ember_codegen::tflite::{self, Decoder};
use ember_compress::calibrate::{self, Calibration};
use ember_compress::cluster::{Clustering, cluster_graph};
use ember_compress::prune::{Pruning, prune};
use ember_compress::{Variant, quantize};
use ember_deploy::emulate::Emulator;
use ember_graph::Graph;
use ember_report::{Entry, Heading, Report, Sheet, TerminalStyle};
use serde::Serialize;

use crate::app::App;
use crate::cli::Compare;
use crate::manifest::RunDir;
use crate::stages::data::Data;
use crate::stages::emulate::{self, Target};
use crate::stages::{codegen, data, eval, file, firmware, quantize as stage};
use crate::zoo::{self, Zoo};
use crate::{atomic, json, workspace};

/// A variant with all that was measured.
#[derive(Clone, Debug, Serialize)]
struct Row {
    variant: ember_report::Variant,
    /// What the machine said.
    device: OnDevice,
}

/// A variant on the emulated machine.
#[derive(Clone, Debug, Serialize)]
struct OnDevice {
    machine: String,
    flash_bytes: u64,
    code_bytes: u64,
    /// Arena, stack and variables.
    ram_bytes: u64,
    instructions_per_inference: u64,
}

/// Makes every variant of a model and measures it.
///
/// # Errors
/// A model that is not there, data that do not fit it, an emulator that is missing or whose scores are not the host's.
pub fn run(app: &App, settings: &Compare) -> Result<()> {
    let (title, checkpoint) = checkpoint(&settings.model)?;
    let machines = firmware::chosen(&settings.on)?;
    let [machine] = machines[..] else {
        bail!("--on takes one machine here: the table has one column for it");
    };
    Emulator::Qemu.check(machine)?;
    let data = data::resolve(app, &settings.data)?;
    let (graph, _) = stage::optimized(&checkpoint)?;
    let folder = workspace::root()
        .join("artifacts/runs/compare")
        .join(&title);
    let representative = &settings.quantize;
    let mut rows = Vec::new();
    for (name, bytes) in variants(&graph, &data, representative)? {
        app.go_on()?;
        let run = RunDir::at(&folder.join(&name), &name);
        let path = folder.join(format!("model.{name}.tflite"));
        atomic::write(&path, &bytes)?;
        atomic::write(&run.file(file::INT8), &bytes)?;
        let (variant, evaluation) = eval::variant(app, &data, &name, &path)?;
        eval::write_scores(&run, &data, &evaluation)?;
        codegen::run(app, &run, false)?;
        firmware::run(app, &run, false, machine)?;
        let target = Target {
            machine,
            emulator: Emulator::Qemu,
            images: Some(settings.images as usize),
        };
        emulate::run(app, &run, false, &data, &target)?;
        let size = firmware::read_size(&run, machine)?;
        let device = emulate::read(&run, machine)?;
        rows.push(Row {
            variant,
            device: OnDevice {
                machine: machine.name.to_owned(),
                flash_bytes: size.flash_bytes,
                code_bytes: size.code_bytes,
                ram_bytes: size.static_ram_bytes + size.arena_bytes + device.stack_bytes,
                instructions_per_inference: device.instructions_per_inference,
            },
        });
    }
    write(app, &folder, &title, machine.core, &data, &rows)
}

/// The trained checkpoint of a committed model or of a run.
fn checkpoint(name: &str) -> Result<(String, PathBuf)> {
    let zoo = zoo::all()?;
    if let Some(entry) = zoo.iter().find(|entry| entry.name() == name) {
        return Ok((name.to_owned(), entry.file(zoo::CHECKPOINT)));
    }
    let path = RunDir::new(name)?.file(file::CHECKPOINT);
    if !path.is_file() {
        let names: Vec<_> = zoo.iter().map(Zoo::name).collect();
        bail!(
            "there is no trained model `{name}`: expected a model of artifacts/zoo ({}) or a run below artifacts/runs that has a {}",
            names.join(", "),
            file::CHECKPOINT
        );
    }
    Ok((name.to_owned(), path))
}

/// Every variant with its name: the formats first, then pruned and clustered ones in int8, stored compressed.
fn variants(
    graph: &Graph,
    data: &Data,
    settings: &crate::cli::QuantizeSettings,
) -> Result<Vec<(String, Vec<u8>)>> {
    let ranges = |graph: &Graph| -> Result<Calibration> {
        Ok(calibrate::calibrate(
            graph,
            &data.dataset.train,
            settings.representative as usize,
            settings.calibration_seed,
        )?)
    };
    let calibration = ranges(graph)?;
    let mut made = Vec::new();
    for variant in Variant::ALL {
        let quantized = variant
            .apply(graph, Some(&calibration))
            .with_context(|| format!("cannot make the {} variant", variant.name()))?;
        made.push((variant.name().to_owned(), tflite::quantized(&quantized)?));
    }
    let mut compressed = |name: &str, graph: &Graph| -> Result<()> {
        let quantized = quantize(graph, &ranges(graph)?)?;
        let (bytes, _) = tflite::compressed(&quantized, Decoder::Ember)
            .with_context(|| format!("cannot make the {name} variant"))?;
        made.push((name.to_owned(), bytes));
        Ok(())
    };
    let pruned = |sparsity| prune(graph, &Pruning::Unstructured { sparsity }, "*");
    let clustered = |graph: &Graph, clusters, keep_zeros| {
        let clustering = Clustering {
            clusters,
            keep_zeros,
            ..Clustering::default()
        };
        cluster_graph(graph, &clustering, "*")
    };
    compressed("pruned-50", &pruned(0.5)?.0)?;
    compressed("pruned-80", &pruned(0.8)?.0)?;
    compressed("clustered-16", &clustered(graph, 16, false)?.0)?;
    compressed("clustered-8", &clustered(graph, 8, false)?.0)?;
    compressed(
        "pruned-50-clustered-16",
        &clustered(&pruned(0.5)?.0, 16, true)?.0,
    )?;
    Ok(made)
}

/// Shows the table and writes it as Markdown and JSON, with the report's plots and page beside it.
fn write(
    app: &App,
    folder: &Path,
    title: &str,
    core: &str,
    data: &Data,
    rows: &[Row],
) -> Result<()> {
    let mut sheet = Sheet::new(
        &format!("{title} on {}, {core}", data.dataset.name),
        &[
            Heading::Words("variant"),
            Heading::Figures("file"),
            Heading::Figures("gzip"),
            Heading::Figures("weights"),
            Heading::Figures("flash"),
            Heading::Figures("RAM"),
            Heading::Figures("accuracy"),
            Heading::Figures("loss"),
            Heading::Figures("host µs"),
            Heading::Figures("instructions"),
        ],
    );
    for Row { variant, device } in rows {
        let text = |number: Option<String>| number.map_or(Entry::None, Entry::Text);
        sheet.row([
            variant.name.clone().into(),
            Entry::Count(variant.file_bytes),
            Entry::count(variant.gzip_bytes),
            Entry::Count(variant.weight_bytes),
            Entry::Count(device.flash_bytes),
            Entry::Count(device.ram_bytes),
            Entry::percent(variant.test_accuracy),
            text(variant.test_loss.map(|loss| format!("{loss:.4}"))),
            text(
                variant
                    .latency
                    .as_ref()
                    .map(|time| format!("{:.1}", time.p50_us)),
            ),
            Entry::Count(device.instructions_per_inference),
        ]);
    }
    sheet.note(
        "Bytes. Flash and RAM are the whole firmware's, with arena and stack. Pruned and clustered weights were not trained \
         again; they are stored compressed and decoded in the kernels.",
    );
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    let report = Report {
        run: format!("compare {title}"),
        dataset: data.dataset.name.clone(),
        variants: rows.iter().map(|row| row.variant.clone()).collect(),
        ..Report::default()
    };
    atomic::write(&folder.join("compare.md"), sheet.to_markdown().as_bytes())?;
    json::write(&folder.join("compare.json"), &rows)?;
    report.write_all(folder)?;
    app.console.step("Wrote", workspace::shown(folder));
    Ok(())
}
