//! Accuracy per epoch, on the training batches and on the validation split.

use plotters::{
    chart::ChartBuilder,
    element::{Circle, PathElement, Text},
    series::LineSeries,
    style::{Color, RGBColor, text_anchor::HPos},
};

use super::{DrawError, Plot, draw, palette};
use crate::{Report, ReportError};

/// The plot, if there are two epochs at least to draw a line between.
pub(crate) fn training_curve(report: &Report) -> Result<Option<Plot>, ReportError> {
    let Some(training) = report
        .training
        .as_ref()
        .filter(|training| training.history.len() > 1)
    else {
        return Ok(None);
    };
    let fitted: Vec<(f64, f64)> = training
        .history
        .iter()
        .map(|epoch| (epoch.epoch as f64, epoch.accuracy * 100.0))
        .collect();
    let validated: Vec<(f64, f64)> = training
        .history
        .iter()
        .filter_map(|epoch| Some((epoch.epoch as f64, epoch.val_accuracy? * 100.0)))
        .collect();
    let title = format!("Accuracy per epoch (dataset: {})", report.dataset);
    draw("training-curve", title, (720, 340), |area| {
        curve(area, &fitted, &validated)
    })
    .map(Some)
}

fn curve(
    area: &super::Area<'_>,
    fitted: &[(f64, f64)],
    validated: &[(f64, f64)],
) -> Result<(), DrawError> {
    let all = || fitted.iter().chain(validated);
    let low = all().map(|point| point.1).fold(100.0, f64::min);
    let high = all().map(|point| point.1).fold(0.0, f64::max);
    let margin = ((high - low) * 0.08).max(0.05);
    let epochs = fitted.iter().map(|point| point.0);
    let first = epochs.clone().fold(f64::INFINITY, f64::min);
    let last = epochs.fold(f64::NEG_INFINITY, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(96)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(first..last, (low - margin)..(high + margin))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(palette::GRID.mix(0.0))
        .bold_line_style(palette::GRID)
        .axis_style(palette::QUIET)
        .x_labels(fitted.len().min(12))
        .y_labels(6)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|percent| format!("{percent:.1}"))
        .label_style(palette::letters(13, palette::QUIET))
        .axis_desc_style(palette::letters(13, palette::QUIET))
        .x_desc("epoch")
        .y_desc("accuracy, %")
        .draw()?;
    for (points, colour) in [(fitted, palette::FIRST), (validated, palette::SECOND)] {
        chart.draw_series(LineSeries::new(
            points.iter().copied(),
            palette::line(colour),
        ))?;
        chart.draw_series(
            points
                .iter()
                .map(|point| Circle::new(*point, 3, colour.filled())),
        )?;
    }
    let named = [
        ("training", fitted.last(), palette::FIRST),
        ("validation", validated.last(), palette::SECOND),
    ];
    let ends: Vec<(&str, (i32, i32), RGBColor)> = named
        .into_iter()
        .filter_map(|(name, end, colour)| Some((name, chart.backend_coord(end?), colour)))
        .collect();
    for (i, (name, (x, y), colour)) in ends.iter().enumerate() {
        let y = apart(*y, i, &ends);
        area.draw(&PathElement::new(
            [(x + 8, y), (x + 16, y)],
            palette::line(*colour),
        ))?;
        area.draw(&Text::new(
            (*name).to_owned(),
            (x + 20, y),
            palette::anchored(13, *colour, HPos::Left),
        ))?;
    }
    Ok(())
}

/// Moves the upper of two names up and the lower down where they would touch.
fn apart(y: i32, index: usize, ends: &[(&str, (i32, i32), RGBColor)]) -> i32 {
    const LINE: i32 = 16;
    let Some((_, (_, other), _)) = ends.get(1 - index.min(1)) else {
        return y;
    };
    let gap = y - other;
    if ends.len() < 2 || gap.abs() >= LINE {
        y
    } else if gap < 0 || (gap == 0 && index == 0) {
        y - (LINE - gap.abs()) / 2
    } else {
        y + (LINE - gap.abs()) / 2
    }
}
