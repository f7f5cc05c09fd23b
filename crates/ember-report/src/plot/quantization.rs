//! The signal to noise of each layer as bars, by itself and below it with all that came before.

use plotters::{
    element::{Rectangle, Text},
    style::{Color, RGBColor, text_anchor::HPos},
};

use super::{Area, DrawError, Plot, draw, palette};
use crate::{
    ReportError,
    quantization::{Loss, QuantizationLoss},
};

const NAMES: i32 = 190;
const VALUES: i32 = 250;
const WIDTH: u32 = 860;
const ROW: i32 = 40;
const TOP: i32 = 34;

/// Characters of a layer's name that have room beside its bars.
const LONGEST_NAME: usize = 24;

/// The plot; a model without layers has its outputs alone.
pub(crate) fn quantization(loss: &QuantizationLoss) -> Result<Plot, ReportError> {
    let title = format!(
        "Signal to noise of each layer over {} samples",
        loss.samples
    );
    let rows = loss.layers.len() as i32 + 1;
    let height = (TOP + ROW * rows + 12) as u32;
    draw("quantization-loss", title, (WIDTH, height), |area| {
        chart(area, loss)
    })
}

fn chart(area: &Area<'_>, loss: &QuantizationLoss) -> Result<(), DrawError> {
    let layers = loss.layers.iter();
    let losses = layers.flat_map(|layer| [&layer.own, &layer.total]);
    let longest = losses
        .chain([&loss.outputs])
        .filter_map(|loss| loss.snr_db)
        .fold(1.0, f64::max);
    for (x, name, colour) in [
        (NAMES, "by itself", palette::FIRST),
        (NAMES + 110, "with all that came before", palette::SECOND),
    ] {
        area.draw(&Rectangle::new([(x, 8), (x + 12, 20)], colour.filled()))?;
        label(area, name, (x + 18, 14), palette::QUIET, HPos::Left)?;
    }
    for (top, layer) in (TOP..).step_by(ROW as usize).zip(&loss.layers) {
        let name = shortened(&layer.layer);
        label(
            area,
            &name,
            (NAMES - 10, top + 11),
            palette::INK,
            HPos::Right,
        )?;
        let types = match &layer.weights {
            Some(weights) => format!("{weights}, {}", layer.activations),
            None => layer.activations.clone(),
        };
        label(
            area,
            &types,
            (NAMES - 10, top + 26),
            palette::QUIET,
            HPos::Right,
        )?;
        bar(area, top + 3, &layer.own, longest, palette::FIRST)?;
        bar(area, top + 18, &layer.total, longest, palette::SECOND)?;
    }
    let top = TOP + ROW * loss.layers.len() as i32;
    label(
        area,
        "the model's outputs",
        (NAMES - 10, top + 11),
        palette::INK,
        HPos::Right,
    )?;
    bar(area, top + 3, &loss.outputs, longest, palette::SECOND)
}

fn bar(
    area: &Area<'_>,
    top: i32,
    loss: &Loss,
    longest: f64,
    colour: RGBColor,
) -> Result<(), DrawError> {
    let Some(snr) = loss.snr_db else {
        return label(
            area,
            "nothing lost",
            (NAMES + 6, top + 6),
            palette::QUIET,
            HPos::Left,
        );
    };
    // Noise as strong as the signal has no bar, and a line shows where it would be.
    let room = f64::from(WIDTH as i32 - NAMES - VALUES);
    let end = NAMES + (room * snr / longest).round().max(1.0) as i32;
    area.draw(&Rectangle::new(
        [(NAMES, top), (end, top + 13)],
        colour.filled(),
    ))?;
    let figures = format!(
        "{snr:.1} dB, cosine {:.5}, at most {:.2e}",
        loss.cosine, loss.max_error
    );
    label(area, &figures, (end + 6, top + 6), palette::INK, HPos::Left)
}

fn label(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    colour: RGBColor,
    side: HPos,
) -> Result<(), DrawError> {
    area.draw(&Text::new(
        text.to_owned(),
        at,
        palette::anchored(12, colour, side),
    ))
}

/// A name that fits: its end, where layers differ.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= LONGEST_NAME {
        return name.to_owned();
    }
    let end = name.chars().skip(count - (LONGEST_NAME - 1));
    std::iter::once('…').chain(end).collect()
}
