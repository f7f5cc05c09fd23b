//! Plots as SVG text: drawn in the colours of a light page; the page's style sheet maps them to dark ones.

mod operators;
mod palette;
mod quantization;
mod size_accuracy;
mod training_curve;

pub(crate) use operators::operators;
pub(crate) use quantization::quantization;
pub(crate) use size_accuracy::size_accuracy;
pub(crate) use training_curve::training_curve;

use plotters::{
    backend::SVGBackend,
    coord::Shift,
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea},
};

use crate::ReportError;

/// A plot, ready to be put into a page or a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plot {
    /// Stem of the file's name.
    pub(crate) id: &'static str,
    /// What it shows, in a line; names the data set.
    pub(crate) title: String,
    /// The drawing: one `<svg>` element.
    pub(crate) svg: String,
}

/// The files of all plots that a report can have.
pub(crate) const FILE_NAMES: [&str; 3] =
    ["training-curve.svg", "size-accuracy.svg", "operators.svg"];

impl Plot {
    /// The name of the plot's own file.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.svg", self.id)
    }

    /// The plot as a file of its own, which follows the reader's light or dark scheme like the page does.
    pub(crate) fn to_file(&self) -> String {
        match self
            .svg
            .find("<svg")
            .and_then(|start| Some(start + self.svg[start..].find('>')?))
        {
            Some(end) => {
                let (open, rest) = self.svg.split_at(end + 1);
                format!("{open}\n<style>{}</style>{rest}", style())
            }
            None => self.svg.clone(),
        }
    }
}

/// Style rules that exchange every colour of the plots for its dark counterpart where the reader's scheme is dark.
pub(crate) fn style() -> String {
    let mut rules = String::from("@media (prefers-color-scheme: dark) {\n");
    for (light, dark) in palette::COLOURS {
        let light = palette::hex(light);
        let dark = palette::hex(dark);
        rules.push_str(&format!(
            "  svg [fill=\"{light}\"] {{ fill: {dark}; }} svg [stroke=\"{light}\"] {{ stroke: {dark}; }}\n"
        ));
    }
    rules.push('}');
    rules
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawError = DrawingAreaErrorKind<std::io::Error>;

/// Runs `draw` on an empty drawing of `width` × `height` pixels.
fn draw(
    id: &'static str,
    title: String,
    (width, height): (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), DrawError>,
) -> Result<Plot, ReportError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        draw(&area)
            .and_then(|()| area.present())
            .map_err(|error| ReportError::Plot {
                plot: id,
                reason: error.to_string(),
            })?;
    }
    Ok(Plot { id, title, svg })
}
