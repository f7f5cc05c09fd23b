//! What can go wrong in training: where, and what to do about it.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// No backend has this name.
    #[error("there is no training backend \"{name}\"; choose flex or ndarray")]
    UnknownBackend {
        /// As given.
        name: String,
    },
    /// A setting is outside its range.
    #[error("{setting} = {value} cannot be used: {expected}")]
    Setting {
        /// The command line's name of the setting.
        setting: &'static str,
        /// As given.
        value: String,
        /// The range, in words.
        expected: String,
    },
    /// The graph has something that cannot be trained.
    #[error("graph \"{graph}\", {place}: {problem}")]
    Graph {
        /// Name of the graph.
        graph: String,
        /// Node or value.
        place: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The dataset does not fit the model.
    #[error("dataset \"{dataset}\" does not fit model \"{model}\": {problem}")]
    Data {
        /// Name of the dataset.
        dataset: String,
        /// Name of the graph.
        model: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} at step {step} of epoch {epoch}: the training has diverged; choose a smaller --learning-rate"
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// Step within the epoch, from 1.
        step: usize,
        /// From 1.
        epoch: usize,
    },
    /// A training state on disk cannot be used.
    #[error("{}: {problem}; start over with --force", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The output directory holds a training that was interrupted.
    #[error(
        "{} holds an unfinished training (epoch {epoch} of {epochs}); continue it with --resume, or drop it with --force",
        path.display()
    )]
    Unfinished {
        /// The output directory.
        path: PathBuf,
        /// The epoch in which it stopped, from 1.
        epoch: usize,
        /// How many it was to have.
        epochs: usize,
    },
    /// `--resume` found nothing to resume.
    #[error("{}: there is no training to resume here; start one without --resume", path.display())]
    NothingToResume {
        /// The output directory.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}{}", path.display(), advice(source))]
    File {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// Pruning, clustering or quantization refuses.
    #[error(transparent)]
    Compress(#[from] ember_compress::CompressError),
    /// The final checkpoint could not be written.
    #[error(transparent)]
    Graphs(#[from] ember_graph::GraphError),
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull => {
            "; free some space and run it again, with --resume to go on where it stopped"
        }
        std::io::ErrorKind::PermissionDenied => "; choose another --out",
        _ => "",
    }
}
