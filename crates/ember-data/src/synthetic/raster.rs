//! From pen positions to an image like those of MNIST: the digit fits a box of 20×20 pixels and its centre of mass lies
//! in the middle of 28×28.
//!
//! **Invariant:** only `+ - * /` and square roots on `f32`, which IEEE 754 defines to the bit.

use super::pen::{Piece, Point, between, normal};
use crate::rng::Rng;

/// Rows and columns of an image.
pub(crate) const SIDE: usize = 28;
/// The digit's longer side, pixels.
const BOX: f32 = 20.0;
/// Rows and columns of the sheet that is drawn on before the image is cut out.
const SHEET: usize = 48;
/// Where the box lies on the sheet.
const MARGIN: f32 = 14.0;

/// How the ink of one digit looks.
pub(crate) struct Ink {
    /// Half the width of the pen, pixels.
    radius: f32,
    /// Over how many pixels ink fades into paper.
    fade: f32,
}

impl Ink {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        Self {
            radius: (1.35 + normal(rng) * 0.4).max(0.6),
            fade: between(rng, 0.7, 1.2),
        }
    }
}

/// Draws `pieces` into `image` `[28, 28]`.
pub(crate) fn render(pieces: &[Piece], ink: &Ink, image: &mut [u8]) {
    let mut sheet = [0.0_f32; SHEET * SHEET];
    for piece in fit(pieces, ink) {
        draw(&piece, ink, &mut sheet);
    }
    cut(&sheet, image);
}

/// The pieces in pixels of the sheet, scaled so that the inked digit fits the box.
fn fit<'a>(pieces: &'a [Piece], ink: &Ink) -> impl Iterator<Item = Piece> + use<'a> {
    let mut low = Point {
        x: f32::MAX,
        y: f32::MAX,
    };
    let mut high = Point {
        x: f32::MIN,
        y: f32::MIN,
    };
    for point in pieces.iter().flat_map(|piece| [piece.from, piece.to]) {
        low = Point {
            x: low.x.min(point.x),
            y: low.y.min(point.y),
        };
        high = Point {
            x: high.x.max(point.x),
            y: high.y.max(point.y),
        };
    }
    let size = (high.x - low.x).max(high.y - low.y).max(1.0);
    let scale = (BOX - 2.0 * ink.radius) / size;
    let place = move |point: Point| Point {
        x: MARGIN + ink_margin(point.x, low.x, high.x, scale),
        y: MARGIN + ink_margin(point.y, low.y, high.y, scale),
    };
    pieces.iter().map(move |piece| Piece {
        from: place(piece.from),
        to: place(piece.to),
        ..*piece
    })
}

fn ink_margin(at: f32, low: f32, high: f32, scale: f32) -> f32 {
    BOX / 2.0 + (at - (low + high) / 2.0) * scale
}

/// Adds one piece: each pixel near it gets as much ink as its distance allows.
fn draw(piece: &Piece, ink: &Ink, sheet: &mut [f32]) {
    let radius = ink.radius * piece.pressure;
    let reach = radius + ink.fade;
    let columns = covered(piece.from.x, piece.to.x, reach);
    let rows = covered(piece.from.y, piece.to.y, reach);
    let (dx, dy) = (piece.to.x - piece.from.x, piece.to.y - piece.from.y);
    let length = (dx * dx + dy * dy).max(1e-12);
    for row in rows {
        for column in columns.clone() {
            let (x, y) = (
                column as f32 + 0.5 - piece.from.x,
                row as f32 + 0.5 - piece.from.y,
            );
            let along = ((x * dx + y * dy) / length).clamp(0.0, 1.0);
            let (away_x, away_y) = (x - along * dx, y - along * dy);
            let distance = (away_x * away_x + away_y * away_y).sqrt();
            let darkness = (0.5 + (radius - distance) / ink.fade).clamp(0.0, 1.0);
            let pixel = &mut sheet[row * SHEET + column];
            *pixel = pixel.max(darkness);
        }
    }
}

/// The rows or columns of the sheet within `reach` of an interval.
fn covered(a: f32, b: f32, reach: f32) -> std::ops::Range<usize> {
    let first = (a.min(b) - reach).clamp(0.0, SHEET as f32) as usize;
    let last = (a.max(b) + reach + 1.0).clamp(0.0, SHEET as f32) as usize;
    first..last
}

/// Cuts the image out of the sheet, whole pixels, so that the centre of mass comes to the middle.
fn cut(sheet: &[f32], image: &mut [u8]) {
    let (mut mass, mut x, mut y) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (row, pixels) in sheet.chunks_exact(SHEET).enumerate() {
        for (column, ink) in pixels.iter().enumerate() {
            mass += ink;
            x += ink * column as f32;
            y += ink * row as f32;
        }
    }
    // MNIST has the centre of mass at pixel 14; half a pixel more rounds.
    let start =
        |moment: f32| ((moment / mass.max(1e-6) - 14.0 + 0.5).max(0.0) as usize).min(SHEET - SIDE);
    let (left, top) = (start(x), start(y));
    for (row, pixels) in image.chunks_exact_mut(SIDE).enumerate() {
        let from = &sheet[(top + row) * SHEET + left..][..SIDE];
        for (pixel, ink) in pixels.iter_mut().zip(from) {
            *pixel = (ink * 255.0 + 0.5) as u8;
        }
    }
}
