//! What quantization costs a model, layer by layer: the debugger's figures as a table, as Markdown, as JSON and as a plot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Entry, Heading, ReportError, Sheet, TerminalStyle, plot, write};

/// How far numbers are from those that they should be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Signal to noise in decibels; `None` where nothing differs.
    pub snr_db: Option<f64>,
    /// The cosine of the angle between both, 1 where they agree.
    pub cosine: f64,
    /// The greatest difference.
    pub max_error: f64,
}

/// What one layer loses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerLoss {
    /// The name of its result.
    pub layer: String,
    /// Its operator: `"conv_2d"`.
    pub op: String,
    /// The type of its weights, where it has any.
    pub weights: Option<String>,
    /// The type of its result.
    pub activations: String,
    /// By itself: on the operands that it really gets.
    pub own: Loss,
    /// With all that came before it.
    pub total: Loss,
    /// Of its weights alone, in decibels; `None` where they are not rounded, or there are none.
    pub weights_snr_db: Option<f64>,
}

/// What a model loses. Its JSON has the fields of the debugger's own report, so that either is read as the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QuantizationLoss {
    /// Samples that were measured.
    pub samples: u64,
    /// The layers, the one that loses most first.
    pub layers: Vec<LayerLoss>,
    /// Of the model's outputs together.
    pub outputs: Loss,
}

/// The stem of the files of [`QuantizationLoss::write_all`].
const FILE_STEM: &str = "quantization-loss";

impl QuantizationLoss {
    /// The layers as a table, in their order; `model` is what the title names.
    #[must_use]
    pub fn sheet(&self, model: &str) -> Sheet {
        let mut sheet = Sheet::new(
            &format!("What quantization costs {model}"),
            &[
                Heading::Words("layer"),
                Heading::Words("operator"),
                Heading::Words("weights"),
                Heading::Words("activations"),
                Heading::Figures("SNR dB"),
                Heading::Figures("cosine"),
                Heading::Figures("max error"),
                Heading::Figures("weights SNR dB"),
                Heading::Figures("total SNR dB"),
                Heading::Figures("total cosine"),
                Heading::Figures("total max error"),
            ],
        );
        for layer in &self.layers {
            let weights = layer.weights.clone();
            let [snr, cosine, error] = figures(&layer.own);
            let [total_snr, total_cosine, total_error] = figures(&layer.total);
            sheet.row([
                layer.layer.as_str().into(),
                layer.op.as_str().into(),
                weights.map_or(Entry::None, Entry::Text),
                layer.activations.as_str().into(),
                snr,
                cosine,
                error,
                decibels(layer.weights_snr_db),
                total_snr,
                total_cosine,
                total_error,
            ]);
        }
        let [snr, cosine, error] = figures(&self.outputs);
        let model = ["the model's outputs".into(), Entry::None, Entry::None];
        let own = std::iter::repeat_n(Entry::None, 5);
        sheet.row(model.into_iter().chain(own).chain([snr, cosine, error]));
        sheet.note(format!(
            "Over {} samples, the layer that loses most by itself first: its float arithmetic on the operands that it gets \
             against its rounded result. Total is the float model against the quantized one, with all that came before. A \
             figure that is missing is of a layer that loses nothing.",
            self.samples
        ));
        sheet
    }

    /// The signal to noise of each layer as bars, one `<svg>` that follows the reader's light or dark scheme.
    ///
    /// # Errors
    ///
    /// [`ReportError::Plot`] when the drawing library refuses.
    pub fn to_svg(&self) -> Result<String, ReportError> {
        Ok(plot::quantization(self)?.to_file())
    }

    /// The figures as JSON with a final newline.
    ///
    /// # Errors
    ///
    /// [`ReportError::Implausible`] when a figure is not finite.
    pub fn to_json(&self) -> Result<String, ReportError> {
        self.check()?;
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        Ok(json)
    }

    /// Whether every figure is a number.
    fn check(&self) -> Result<(), ReportError> {
        let layers = self.layers.iter().enumerate();
        let losses = layers.flat_map(|(i, layer)| {
            let field = |name: &str| format!("layers[{i}].{name}");
            [(field("own"), &layer.own), (field("total"), &layer.total)]
        });
        for (field, loss) in losses.chain([("outputs".to_owned(), &self.outputs)]) {
            let figures = [loss.snr_db.unwrap_or(0.0), loss.cosine, loss.max_error];
            if let Some(figure) = figures.iter().find(|figure| !figure.is_finite()) {
                return Err(ReportError::Implausible {
                    field,
                    value: figure.to_string(),
                    rule: "what a layer loses is finite",
                });
            }
        }
        Ok(())
    }

    /// Writes `quantization-loss.json`, `.md`, `.txt` and `.svg` into `dir`, which is made if it is not there, and gives back
    /// their paths. Everything is rendered before the first file is touched.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`] with the path of the file that could not be written; as [`to_svg`](Self::to_svg) and
    /// [`to_json`](Self::to_json).
    pub fn write_all(&self, model: &str, dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let sheet = self.sheet(model);
        let plain = TerminalStyle {
            width: None,
            colour: false,
        };
        let picture = format!("\n![Signal to noise of each layer]({FILE_STEM}.svg)\n");
        let files = [
            ("json", self.to_json()?),
            ("md", sheet.to_markdown() + &picture),
            ("txt", sheet.to_terminal(plain)),
            ("svg", self.to_svg()?),
        ];
        fs::create_dir_all(dir).map_err(|source| write::failed("write", dir, source))?;
        let written = files.iter().map(|(extension, text)| {
            let path = dir.join(format!("{FILE_STEM}.{extension}"));
            write::replace(&path, text)?;
            Ok(path)
        });
        written.collect()
    }
}

fn figures(loss: &Loss) -> [Entry; 3] {
    [
        decibels(loss.snr_db),
        format!("{:.6}", loss.cosine).into(),
        // As many places for the small as for the large.
        format!("{:.3e}", loss.max_error).into(),
    ]
}

fn decibels(snr: Option<f64>) -> Entry {
    snr.map_or(Entry::None, |snr| Entry::Text(format!("{snr:.1}")))
}
