//! The models that can be trained by name. A model is one file here and one row of [`MODELS`].

mod mlp;
mod nano_cnn;
mod residual_cnn;
mod seed_cnn;
mod small_cnn;
mod small_cnn_bn;

use crate::{Graph, GraphError};

/// A model of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// What `--model` takes.
    pub name: &'static str,
    /// Its layers, in one line.
    pub description: &'static str,
    build: fn() -> Result<Graph, GraphError>,
}

/// Every model.
pub const MODELS: &[Model] = &[
    seed_cnn::MODEL,
    mlp::MODEL,
    nano_cnn::MODEL,
    small_cnn::MODEL,
    small_cnn_bn::MODEL,
    residual_cnn::MODEL,
];

impl Model {
    /// The untrained graph: all constants zero, input `[1, 28, 28, 1]` in 0..=1, output `[1, 10]` probabilities.
    ///
    /// # Errors
    /// None for the models of the registry; a test builds each.
    pub fn build(&self) -> Result<Graph, GraphError> {
        (self.build)()
    }
}

/// The model with this name.
///
/// # Errors
/// When there is none; the error names the nearest.
pub fn find(name: &str) -> Result<&'static Model, GraphError> {
    if let Some(model) = MODELS.iter().find(|model| model.name == name) {
        return Ok(model);
    }
    let nearest = MODELS
        .iter()
        .map(|model| {
            let likeness = strsim::normalized_damerau_levenshtein(name, model.name);
            (likeness, model.name)
        })
        .filter(|(likeness, _)| *likeness > 0.35)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let all: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
    let all = all.join(", ");
    Err(GraphError::UnknownModel {
        name: name.to_owned(),
        hint: match nearest {
            Some((_, nearest)) => format!("did you mean \"{nearest}\"? (there are: {all})"),
            None => format!("there are: {all}"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{MODELS, find};

    #[test]
    fn every_model_builds_under_its_own_unique_name() {
        for (index, model) in MODELS.iter().enumerate() {
            let graph = model.build().unwrap();
            assert_eq!(graph.name, model.name);
            assert!(!model.description.is_empty());
            assert!(MODELS[..index].iter().all(|other| other.name != model.name));
        }
    }

    #[test]
    fn the_reference_models_have_their_known_sizes() {
        let parameters = |name| find(name).unwrap().build().unwrap().parameter_count();
        assert_eq!(parameters("seed-cnn"), 21_898);
        assert_eq!(parameters("mlp"), 784 * 32 + 32 + 32 * 10 + 10);
        // Four numbers for each of the 56 normalized channels.
        let norms = parameters("small-cnn-bn") - parameters("small-cnn");
        assert_eq!(norms, 4 * (12 + 20 + 24));
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest() {
        let error = |name| find(name).unwrap_err().to_string();
        assert!(error("seed_cn").contains("did you mean \"seed-cnn\"?"));
        assert!(error("residual").contains("did you mean \"residual-cnn\"?"));
        assert!(error("mpl").contains("did you mean \"mlp\"?"));
        assert!(error("transformer").contains("there are: seed-cnn, mlp, nano-cnn"));
    }
}
