//! Size of each model file against its accuracy: triangles where it was fine-tuned, TensorFlow Lite's files as hollow
//! circles, a line over the seeds where there are several.

use plotters::{
    chart::ChartBuilder,
    element::{Circle, PathElement, Text, TriangleMarker},
    style::{Color, RGBColor, text_anchor::HPos},
};

use super::{Area, DrawError, Plot, draw, palette};
use crate::{Report, ReportError, Variant, anchors, number::count, section};

struct Dot {
    label: String,
    bytes: f64,
    percent: f64,
    /// The least and the greatest of several seeds.
    reach: Option<(f64, f64)>,
    mark: Mark,
}

/// How a dot came to be, in the order of the legend.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    AsTrained,
    FineTuned,
    Reference,
}

impl Mark {
    const ALL: [Self; 3] = [Self::AsTrained, Self::FineTuned, Self::Reference];

    const fn name(self) -> &'static str {
        match self {
            Self::AsTrained => "as trained",
            Self::FineTuned => "fine-tuned",
            Self::Reference => "reference figures †",
        }
    }

    fn draw(self, area: &Area<'_>, at: (i32, i32)) -> Result<(), DrawError> {
        match self {
            Self::AsTrained => area.draw(&Circle::new(at, 5, palette::FIRST.filled())),
            Self::FineTuned => area.draw(&TriangleMarker::new(at, 7, palette::SECOND.filled())),
            Self::Reference => area.draw(&Circle::new(at, 5, palette::line(palette::REFERENCE))),
        }
    }
}

impl Dot {
    fn of(variant: &Variant) -> Option<Self> {
        let seeds = variant.seeds.iter().map(|seed| seed.test_accuracy * 100.0);
        let reach = seeds.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(low, high), percent| (low.min(percent), high.max(percent)),
        );
        Some(Self {
            label: variant.name.clone(),
            bytes: variant.file_bytes as f64,
            percent: variant.test_accuracy? * 100.0,
            reach: (variant.seeds.len() > 1).then_some(reach),
            mark: if variant.fine_tuned {
                Mark::FineTuned
            } else {
                Mark::AsTrained
            },
        })
    }

    /// All that is drawn of it, from the least percentage to the greatest.
    fn span(&self) -> (f64, f64) {
        let (low, high) = self.reach.unwrap_or((self.percent, self.percent));
        (low.min(self.percent), high.max(self.percent))
    }
}

/// The plot, if a variant was evaluated.
pub(crate) fn size_accuracy(report: &Report) -> Result<Option<Plot>, ReportError> {
    let mut dots: Vec<Dot> = report.variants.iter().filter_map(Dot::of).collect();
    if dots.is_empty() {
        return Ok(None);
    }
    if section::has_reference_accuracies(report) {
        let measured = |name: &str| report.variants.iter().any(|variant| variant.name == name);
        for size in anchors::SIZES.iter().filter(|size| measured(size.variant)) {
            let accuracy = anchors::ACCURACIES
                .iter()
                .find(|accuracy| accuracy.variant == size.variant);
            if let Some(accuracy) = accuracy {
                dots.push(Dot {
                    label: format!("{} {} †", size.framework, size.variant),
                    bytes: size.file_bytes as f64,
                    percent: accuracy.accuracy.0 * 100.0,
                    reach: None,
                    mark: Mark::Reference,
                });
            }
        }
    }
    let title = format!(
        "File size and accuracy of each variant (dataset: {})",
        report.dataset
    );
    draw("size-accuracy", title, (720, 380), |area| {
        scatter(area, &dots)
    })
    .map(Some)
}

fn scatter(area: &Area<'_>, dots: &[Dot]) -> Result<(), DrawError> {
    let largest = dots.iter().map(|dot| dot.bytes).fold(0.0, f64::max);
    let spans = dots.iter().map(Dot::span);
    let (low, high) = spans.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), span| {
        (low.min(span.0), high.max(span.1))
    });
    // What one kind of mark means needs no legend.
    let shown = |mark: &Mark| dots.iter().any(|dot| dot.mark == *mark);
    let marks: Vec<Mark> = Mark::ALL.into_iter().filter(shown).collect();
    let has_legend = marks.len() > 1;
    let margin = ((high - low) * 0.25).max(0.05);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_top(if has_legend { 32 } else { 12 })
        .margin_right(24)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..largest * 1.15, (low - margin)..(high + margin))?;
    chart
        .configure_mesh()
        .light_line_style(palette::GRID.mix(0.0))
        .bold_line_style(palette::GRID)
        .axis_style(palette::QUIET)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|bytes| count(bytes.max(0.0) as u64))
        .y_label_formatter(&|percent| format!("{percent:.2}"))
        .label_style(palette::letters(13, palette::QUIET))
        .axis_desc_style(palette::letters(13, palette::QUIET))
        .x_desc("file, bytes")
        .y_desc("test accuracy, %")
        .draw()?;
    let places: Vec<(i32, i32)> = dots
        .iter()
        .map(|dot| chart.backend_coord(&(dot.bytes, dot.percent)))
        .collect();
    let (width, _) = area.dim_in_pixel();
    let mut taken: Vec<Frame> = places.iter().map(|at| Frame::around(*at)).collect();
    for dot in dots {
        if let Some((low, high)) = dot.reach {
            let ends = [low, high].map(|percent| chart.backend_coord(&(dot.bytes, percent)));
            area.draw(&PathElement::new(ends, palette::line(palette::QUIET)))?;
        }
    }
    for (dot, at) in dots.iter().zip(&places) {
        dot.mark.draw(area, *at)?;
        let (anchor, side, frame) = place(&dot.label, *at, width as i32, &taken);
        taken.push(frame);
        area.draw(&Text::new(
            dot.label.clone(),
            anchor,
            palette::anchored(13, label_colour(dot), side),
        ))?;
    }
    if has_legend {
        legend(area, &marks)?;
    }
    Ok(())
}

fn legend(area: &Area<'_>, marks: &[Mark]) -> Result<(), DrawError> {
    const APART: usize = 130;
    for (x, mark) in (80..).step_by(APART).zip(marks) {
        mark.draw(area, (x, 16))?;
        area.draw(&Text::new(
            mark.name(),
            (x + 12, 16),
            palette::anchored(13, palette::QUIET, HPos::Left),
        ))?;
    }
    Ok(())
}

fn label_colour(dot: &Dot) -> RGBColor {
    match dot.mark {
        Mark::AsTrained | Mark::FineTuned => palette::INK,
        Mark::Reference => palette::QUIET,
    }
}

/// Where something is drawn already, in pixels.
#[derive(Clone, Copy)]
struct Frame {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Frame {
    fn around((x, y): (i32, i32)) -> Frame {
        Frame {
            left: x - 6,
            top: y - 6,
            right: x + 6,
            bottom: y + 6,
        }
    }

    fn meets(&self, other: &Frame) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// The first place beside the dot where the label covers nothing: right or left of it, then lines further up and down.
fn place(
    label: &str,
    (x, y): (i32, i32),
    width: i32,
    taken: &[Frame],
) -> ((i32, i32), HPos, Frame) {
    const GAP: i32 = 9;
    // An upper bound for 13-pixel letters; the drawing has no font to measure them with.
    let length = label.chars().count() as i32 * 8;
    let at = |dy: i32, side: HPos| {
        let y = y + dy;
        let left = if matches!(side, HPos::Left) {
            x + GAP
        } else {
            x - GAP - length
        };
        let frame = Frame {
            left,
            top: y - 7,
            right: left + length,
            bottom: y + 7,
        };
        let start = if matches!(side, HPos::Left) {
            x + GAP
        } else {
            x - GAP
        };
        ((start, y), side, frame)
    };
    for dy in [0, -14, 14, -28, 28, -42, 42] {
        for side in [HPos::Left, HPos::Right] {
            let (anchor, side, frame) = at(dy, side);
            let inside = frame.left > 60 && frame.right < width;
            if inside && !taken.iter().any(|other| other.meets(&frame)) {
                return (anchor, side, frame);
            }
        }
    }
    at(0, HPos::Left)
}
