//! Instructions per operator as bars, the reference's below each in grey.

use plotters::{
    element::{Rectangle, Text},
    style::{Color, text_anchor::HPos},
};

use super::{Area, DrawError, Plot, draw, palette};
use crate::{
    DeviceRun, Report, ReportError,
    number::count,
    section::{nth_of_its_kind, reference_operators},
};

const NAMES: i32 = 170;
const VALUES: i32 = 130;
const WIDTH: u32 = 720;
const ROW: i32 = 40;
const TOP: i32 = 34;

struct Bar {
    name: String,
    instructions: u64,
    reference: Option<u64>,
}

/// The plot for the first firmware with operator counts, preferring one that has a reference on its own core.
pub(crate) fn operators(report: &Report) -> Result<Option<Plot>, ReportError> {
    let counted = || report.device.iter().filter(|run| !run.ops.is_empty());
    let has_reference = |run: &&DeviceRun| {
        reference_operators(report, run).is_some_and(|anchor| anchor.target == run.target)
    };
    let Some(run) = counted().find(has_reference).or(counted().next()) else {
        return Ok(None);
    };
    let anchor = reference_operators(report, run).filter(|anchor| anchor.target == run.target);
    let bars: Vec<Bar> = run
        .ops
        .iter()
        .enumerate()
        .map(|(i, op)| Bar {
            name: op.op.clone(),
            instructions: op.instructions,
            reference: nth_of_its_kind(run, i)
                .and_then(|nth| {
                    anchor?
                        .ops
                        .iter()
                        .filter(|(name, _)| *name == op.op)
                        .nth(nth)
                })
                .map(|(_, instructions)| *instructions),
        })
        .collect();
    let title = format!(
        "Instructions per operator, {} {} on {} (dataset: {})",
        run.variant, run.engine, run.target, report.dataset
    );
    let legend = anchor.map(|anchor| format!("{} †", anchor.framework));
    let height = (TOP + ROW * bars.len() as i32 + 12) as u32;
    draw("operators", title, (WIDTH, height), |area| {
        chart(area, &bars, legend.as_deref())
    })
    .map(Some)
}

fn chart(area: &Area<'_>, bars: &[Bar], legend: Option<&str>) -> Result<(), DrawError> {
    let longest = bars
        .iter()
        .flat_map(|bar| [Some(bar.instructions), bar.reference])
        .flatten()
        .max()
        .unwrap_or(0)
        .max(1);
    let room = (WIDTH as i32 - NAMES - VALUES) as f64;
    // A bar of an operator that executes anything stays visible.
    let length = |instructions: u64| {
        (room * instructions as f64 / longest as f64)
            .round()
            .max(1.0) as i32
    };
    key(area, legend)?;
    for (i, bar) in bars.iter().enumerate() {
        let top = TOP + ROW * i as i32;
        area.draw(&Text::new(
            bar.name.clone(),
            (NAMES - 10, top + 15),
            palette::anchored(13, palette::INK, HPos::Right),
        ))?;
        let mut rows = vec![(bar.instructions, palette::FIRST, palette::INK)];
        rows.extend(
            bar.reference
                .map(|count| (count, palette::REFERENCE, palette::QUIET)),
        );
        let thickness = if rows.len() == 1 { 20 } else { 13 };
        for (row, (instructions, fill, ink)) in rows.into_iter().enumerate() {
            let top = top + 3 + row as i32 * 15;
            let end = NAMES + length(instructions);
            area.draw(&Rectangle::new(
                [(NAMES, top), (end, top + thickness)],
                fill.filled(),
            ))?;
            area.draw(&Text::new(
                count(instructions),
                (end + 6, top + thickness / 2),
                palette::anchored(12, ink, HPos::Left),
            ))?;
        }
    }
    Ok(())
}

fn key(area: &Area<'_>, legend: Option<&str>) -> Result<(), DrawError> {
    let Some(reference) = legend else {
        return Ok(());
    };
    for (x, name, colour) in [
        (NAMES, "this run", palette::FIRST),
        (NAMES + 110, reference, palette::REFERENCE),
    ] {
        area.draw(&Rectangle::new([(x, 8), (x + 12, 20)], colour.filled()))?;
        area.draw(&Text::new(
            name.to_owned(),
            (x + 18, 14),
            palette::anchored(13, palette::QUIET, HPos::Left),
        ))?;
    }
    Ok(())
}
