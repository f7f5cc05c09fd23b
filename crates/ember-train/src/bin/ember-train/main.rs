//! `ember-train`: trains a model from the command line.

mod args;
mod display;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Parser as _;
use ember_data::{Dataset, DatasetSource, LoadOptions, Loaded};
use ember_graph::models;
use ember_progress::Console;
use ember_train::job::{self, Job, Start};
use ember_train::{Backend, Compression, Outcome, Settings, TrainingRecord, host};

use args::Args;
use display::{DataDisplay, EpochDisplay, TestDisplay};

/// What a shell reports for a program that ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = Args::parse();
    let console = Console::new(args.quiet);
    if args.list {
        for model in models::MODELS {
            console.result(format!("{:<10} {}", model.name, model.description));
        }
        return ExitCode::SUCCESS;
    }
    match train(&args, &console) {
        Ok(Outcome::Finished) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            console.error(error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn train(args: &Args, console: &Console) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    host::keep_freed_memory();
    let start = match (args.resume, args.force) {
        (true, _) => Start::Resume,
        (_, true) => Start::Force,
        _ => Start::New,
    };
    let (graph, init) = match &args.init {
        None => (models::find(&args.model)?.build()?, None),
        Some(path) => {
            let (graph, sha256) = job::load_init(path)?;
            (graph, Some(sha256))
        }
    };
    let backend = Backend::from_name(&args.backend)?;
    job::check_directory(&args.out, start)?;
    let stop = stop_on_ctrl_c()?;

    let dataset = load(&args.dataset, console)?;
    let others = args.also_test.iter().map(|name| load(name, console));
    let others = others.collect::<anyhow::Result<Vec<Dataset>>>()?;

    let mut settings = Settings {
        model: graph.name.clone(),
        dataset: dataset.name.clone(),
        backend,
        epochs: args.epochs,
        batch: args.batch,
        learning_rate: args.learning_rate,
        final_learning_rate: args.final_learning_rate,
        seed: args.seed,
        validation: args.validation,
        limit_steps: args.limit_steps,
        compression: Compression::default(),
    };
    let steps = settings.steps(dataset.train.len());
    settings.compression = args.compression.settings(init, args.seed, steps);
    let name = graph.name.clone();
    let mut job = Job::new(graph, &dataset, settings, &args.out, start, started)?;
    if args.test_each_epoch {
        job.test_each_epoch();
    }
    let [training, validation] = job.trainer().image_counts();
    console.step(
        if start == Start::Resume {
            "Resuming"
        } else {
            "Training"
        },
        format!(
            "{} on {training} images of {} ({validation} for validation), {}, seed {}",
            name, dataset.name, args.backend, args.seed
        ),
    );
    let outcome = job.run(&stop, &mut EpochDisplay::new(console))?;
    if outcome == Outcome::Interrupted {
        console.line(format!(
            "stopped after {} steps; go on with the same command and --resume",
            job.trainer().steps()
        ));
        return Ok(outcome);
    }
    let all = std::iter::once(&dataset).chain(&others);
    let totals = all.map(|data| (data.name.clone(), data.test.len() as u64));
    let tests = TestDisplay::new(console, totals.collect());
    let record = job.finish(&others, |dataset, done| tests.show(dataset, done))?;
    drop(tests);
    report(&record, args, console);
    Ok(outcome)
}

/// Raised by the first ctrl-C; the second leaves at once, which loses no more than a power cut would.
fn stop_on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .map_err(|error| anyhow::anyhow!("cannot watch for ctrl-C: {error}"))?;
    Ok(stop)
}

fn load(name: &str, console: &Console) -> anyhow::Result<Dataset> {
    let source: DatasetSource = name.parse()?;
    let options = LoadOptions::for_workspace(&workspace());
    let display = DataDisplay::new(console);
    let Loaded {
        dataset, fallback, ..
    } = ember_data::load(&source, &options, &|event| display.show(event))?;
    if let Some(why) = fallback {
        console.notice(why);
    }
    Ok(dataset)
}

/// The workspace that cargo started us from, else the current directory.
fn workspace() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = manifest
        .as_deref()
        .and_then(|crate_root| crate_root.ancestors().nth(2));
    root.map_or_else(|| PathBuf::from("."), PathBuf::from)
}

fn report(record: &TrainingRecord, args: &Args, console: &Console) {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    console.line(format!(
        "Test on {}  accuracy: {}  loss: {:.4}",
        record.dataset,
        percent(record.test_accuracy),
        record.test_loss
    ));
    for other in &record.also_tested {
        console.line(format!(
            "Test on {}  accuracy: {}  loss: {:.4}",
            other.dataset,
            percent(other.test_accuracy),
            other.test_loss
        ));
    }
    if args.compression.qat.is_some() {
        for name in [job::RANGES_FILE, job::RECIPE_FILE] {
            console.step("Wrote", args.out.join(name).display().to_string());
        }
    }
    let path = args.out.join(job::MODEL_FILE);
    console.step(
        "Wrote",
        format!("{} ({} bytes)", path.display(), record.checkpoint_bytes),
    );
}
