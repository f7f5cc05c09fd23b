//! `ember-onnx`: what `cargo xtask import` starts, so that xtask does not compile the ONNX reader.

mod cli;
mod outputs;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io::Write as _};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use cli::{Cli, Command, ImportSettings};
use ember_graph::{Graph, checkpoint};
use ember_onnx::{Quantized, supported};
use ember_progress::Console;
use serde::Serialize;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.quiet);
    let done = match &cli.command {
        Command::Import(settings) => import(settings, &console),
        Command::Ops => {
            for op in supported() {
                console.result(op);
            }
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What was imported, for a program.
#[derive(Serialize)]
struct Summary<'g> {
    /// The graph's name.
    name: &'g str,
    /// Names and shapes of the inputs, images NHWC.
    inputs: Vec<Port<'g>>,
    /// Names and shapes of the outputs.
    outputs: Vec<Port<'g>>,
    /// Operators of the graph.
    nodes: usize,
    /// Trained numbers.
    parameters: usize,
    /// Whether the file quantizes.
    quantized: bool,
}

#[derive(Serialize)]
struct Port<'g> {
    name: &'g str,
    shape: &'g [usize],
}

impl<'g> Summary<'g> {
    fn new(graph: &'g Graph, quantized: bool) -> Self {
        let ports = |ids: &[ember_graph::ValueId]| {
            let values = ids.iter().filter_map(|id| graph.get(*id));
            let ports = values.map(|value| Port {
                name: &value.name,
                shape: &value.shape,
            });
            ports.collect()
        };
        Self {
            name: &graph.name,
            inputs: ports(&graph.inputs),
            outputs: ports(&graph.outputs),
            nodes: graph.nodes.len(),
            parameters: graph.parameter_count(),
            quantized,
        }
    }
}

fn import(settings: &ImportSettings, console: &Console) -> Result<()> {
    console.step("Importing", settings.model.display().to_string());
    let mut imported = ember_onnx::import(&settings.model)?;
    if let Some(name) = &settings.name {
        imported.graph.name.clone_from(name);
    }
    let graph = &imported.graph;
    let quantized = imported.quantized.as_ref();
    // Both are made before anything is written: where one cannot be, there is no file.
    let samples = settings.samples.as_deref();
    let int8 = settings.int8.as_ref().map(|path| {
        let bytes = outputs::int8(&imported, &settings.model, samples)?;
        anyhow::Ok((path, bytes))
    });
    let float = settings.float.as_ref();
    let float = float.map(|path| anyhow::Ok((path, outputs::float(&imported)?)));
    for (path, bytes) in [int8.transpose()?, float.transpose()?]
        .into_iter()
        .flatten()
    {
        write(path, &bytes)?;
    }
    if let Some(quantized) = quantized {
        write_quantized(settings, quantized)?;
    }
    checkpoint::save(&settings.out, graph, &BTreeMap::new())?;
    let summary = Summary::new(graph, quantized.is_some());
    if settings.json {
        console.result(serde_json::to_string_pretty(&summary)?);
        return Ok(());
    }
    let ports = |ports: &[Port<'_>]| {
        let each = ports
            .iter()
            .map(|port| format!("{} {:?}", port.name, port.shape));
        each.collect::<Vec<_>>().join(", ")
    };
    console.result(format!(
        "{}: {} operators, {} parameters; {} -> {}{}",
        summary.name,
        summary.nodes,
        summary.parameters,
        ports(&summary.inputs),
        ports(&summary.outputs),
        if summary.quantized { "; quantized" } else { "" },
    ));
    Ok(())
}

/// Writes the files of a quantized model that were asked for.
fn write_quantized(settings: &ImportSettings, quantized: &Quantized) -> Result<()> {
    if let Some(path) = &settings.ranges {
        let mut json = serde_json::to_string_pretty(&quantized.ranges)?;
        json.push('\n');
        write(path, json.as_bytes())?;
    }
    if let Some(path) = &settings.recipe {
        write(path, quantized.recipe.to_toml()?.as_bytes())?;
    }
    Ok(())
}

/// Writes a file beside its place and renames it, so that it is whole or not there.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = || -> std::io::Result<()> {
        let mut file = fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, path)
    };
    written().with_context(|| format!("cannot write {path:?}"))
}
