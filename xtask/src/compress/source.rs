//! A trained float model by the name that a user gave.

use std::path::Path;

use anyhow::{Context, Result};
use ember_codegen::tflite;
use ember_compress::Recipe;
use ember_graph::{Graph, checkpoint};

use crate::named::Named;
use crate::stages::{file, quantize};
use crate::workspace::{self, shown};
use crate::zoo;

/// A model to be compressed.
pub struct Source {
    /// What to call it.
    pub title: String,
    /// As it was trained.
    pub graph: Graph,
    /// The ranges and the recipe that it was trained for, where it was.
    pub trained_for: Option<(quantize::Ranges, Recipe)>,
}

impl Source {
    /// Opens the model called `name`: a file, a committed model or a run, in this order; without a name the default run,
    /// and where that has none the reference model.
    ///
    /// # Errors
    /// Nothing of that name (with what there is), a file that is no model, or a model that is quantized already.
    pub fn open(name: Option<&str>) -> Result<Self> {
        let files = "a float .tflite or a .safetensors checkpoint";
        match Named::find(name, file::CHECKPOINT, files)? {
            Named::File(path) => of_file(&path),
            Named::Zoo(zoo) => of_checkpoint(zoo.name(), &zoo.file(zoo::CHECKPOINT)),
            Named::Run(run) => Ok(Self {
                trained_for: quantize::trained_for(&run)?,
                ..of_checkpoint(run.name(), &run.file(file::CHECKPOINT))?
            }),
        }
    }

    /// The graph after the passes: batch norms folded, activations fused.
    ///
    /// # Errors
    /// A pass that fails.
    pub fn optimized(&self) -> Result<Graph> {
        Ok(ember_compress::optimize(&self.graph)?.0)
    }
}

/// Whether the name of a file is that of a checkpoint.
pub fn is_checkpoint(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "safetensors")
}

fn of_file(path: &Path) -> Result<Source> {
    let graph = if is_checkpoint(path) {
        checkpoint::load(path)?.graph
    } else {
        tflite::to_graph(&workspace::read(path)?)
            .with_context(|| format!("cannot compress {}", shown(path)))?
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Source {
        title: stem.into_owned(),
        graph,
        trained_for: None,
    })
}

fn of_checkpoint(title: &str, path: &Path) -> Result<Source> {
    Ok(Source {
        title: title.to_owned(),
        graph: checkpoint::load(path)?.graph,
        trained_for: None,
    })
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn refused(name: &str) -> String {
        let error = Source::open(Some(name)).err().unwrap();
        format!("{error:#}")
    }

    #[test]
    fn a_model_of_the_zoo_is_found_and_an_unknown_name_gets_those_that_there_are() {
        let source = Source::open(Some("seed-cnn")).unwrap();
        assert_eq!(source.title, "seed-cnn");
        assert!(source.trained_for.is_none());
        let error = refused("lenet");
        assert!(
            error.contains("`lenet`") && error.contains("seed-cnn, "),
            "{error}"
        );
    }

    #[test]
    fn a_quantized_model_is_refused() {
        let path = crate::workspace::root().join("artifacts/zoo/seed-cnn/model.int8.tflite");
        let error = refused(&path.display().to_string());
        assert!(
            error.contains("already quantized") || error.contains("quantized already"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_no_model_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.tflite");
        std::fs::write(&path, "no model").unwrap();
        let error = refused(&path.display().to_string());
        assert!(error.contains("text.tflite"), "{error}");
    }
}
