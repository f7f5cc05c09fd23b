//! The colours and letters of all plots. [`COLOURS`] has the dark counterpart of each.

use plotters::style::{
    Color, FontFamily, IntoFont, RGBColor, ShapeStyle, TextStyle,
    text_anchor::{HPos, Pos, VPos},
};

/// Titles and values.
pub(super) const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
/// Axes and their labels.
pub(super) const QUIET: RGBColor = RGBColor(0x65, 0x6d, 0x76);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xe1, 0xe4, 0xe8);
/// The first series of this run.
pub(super) const FIRST: RGBColor = RGBColor(0x0b, 0x62, 0xc4);
/// The second series of this run.
pub(super) const SECOND: RGBColor = RGBColor(0xc2, 0x55, 0x0a);
/// Reference figures.
pub(super) const REFERENCE: RGBColor = RGBColor(0x9a, 0xa2, 0xab);

/// Each colour with the one that replaces it on a dark page.
pub(super) const COLOURS: [(RGBColor, RGBColor); 6] = [
    (INK, RGBColor(0xe3, 0xe7, 0xec)),
    (QUIET, RGBColor(0x98, 0xa1, 0xab)),
    (GRID, RGBColor(0x2f, 0x35, 0x3c)),
    (FIRST, RGBColor(0x4f, 0x9c, 0xf5)),
    (SECOND, RGBColor(0xf0, 0x8c, 0x42)),
    (REFERENCE, RGBColor(0x5c, 0x65, 0x6f)),
];

/// The colour as the SVG backend writes it: `#1F2328`.
pub(super) fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Letters of `size` pixels.
pub(super) fn letters(size: u32, colour: RGBColor) -> TextStyle<'static> {
    (FontFamily::SansSerif, size).into_font().color(&colour)
}

/// Letters that start (`Left`), end (`Right`) or are centred at the point they are drawn at.
pub(super) fn anchored(size: u32, colour: RGBColor, horizontal: HPos) -> TextStyle<'static> {
    letters(size, colour).pos(Pos::new(horizontal, VPos::Center))
}

/// A line of two pixels.
pub(super) fn line(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(2)
}
