//! One drawing of a digit: a style, a mixture of its forms, shaken, warped and slanted, as a line of pen positions.
//!
//! **Invariant:** only `+ - * /` on `f32`, which IEEE 754 defines to the bit, so that every platform draws the same.

use super::skeletons::{DIGITS, Node, Style};
use crate::rng::Rng;

/// A short straight piece of a stroke, in percent of the digit's height.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Piece {
    pub(crate) from: Point,
    pub(crate) to: Point,
    /// Thickness of the pen here, relative to the digit's mean.
    pub(crate) pressure: f32,
}

/// A position; x goes right and y goes down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

/// Straight pieces between two nodes.
const PIECES_PER_NODE: usize = 7;
/// How far a node is shaken (standard deviation, percent of the height).
const SHAKE: f32 = 3.5;
/// How far the terms of the warp move the edges of the digit (standard deviation, percent of the height).
const QUADRATIC: f32 = 10.0;
const CUBIC: f32 = 6.0;
/// How often a corner is written round.
const ROUNDED: f32 = 0.3;

/// Draws `digit` (0 to 9).
pub(crate) fn draw(digit: usize, rng: &mut Rng) -> Vec<Piece> {
    let style = choose(DIGITS[digit], rng);
    let first = style.forms[rng.below(style.forms.len())];
    let second = style.forms[rng.below(style.forms.len())];
    let share = between(rng, -0.2, 1.2);
    let warp = Warp::random(if digit < 2 { 0.6 } else { 1.0 }, rng);
    let mut pieces = Vec::new();
    for (a, b) in first.iter().zip(second) {
        let nodes: Vec<(Point, bool)> = a
            .iter()
            .zip(*b)
            .map(|(a, b)| {
                let corner = a.corner && rng.unit() >= ROUNDED;
                (shaken(a, b, share, rng), corner)
            })
            .collect();
        stroke(&nodes, rng, &mut pieces);
    }
    let slant = Slant::random(digit, rng);
    for piece in &mut pieces {
        piece.from = slant.apply(warp.apply(piece.from));
        piece.to = slant.apply(warp.apply(piece.to));
    }
    pieces
}

fn choose<'a>(styles: &'a [Style], rng: &mut Rng) -> &'a Style {
    let total: u32 = styles.iter().map(|style| style.weight).sum();
    let mut ticket = rng.below(total as usize) as u32;
    for style in styles {
        if ticket < style.weight {
            return style;
        }
        ticket -= style.weight;
    }
    &styles[0]
}

fn shaken(a: &Node, b: &Node, share: f32, rng: &mut Rng) -> Point {
    let mix = |a: i16, b: i16| f32::from(a) + (f32::from(b) - f32::from(a)) * share;
    Point {
        x: mix(a.x, b.x) + normal(rng) * SHAKE,
        y: mix(a.y, b.y) + normal(rng) * SHAKE,
    }
}

/// The curve through `nodes` (E. Catmull, R. Rom: A class of local interpolating splines, 1974), cut into pieces.
fn stroke(nodes: &[(Point, bool)], rng: &mut Rng, pieces: &mut Vec<Piece>) {
    let (start, end) = (between(rng, 0.8, 1.15), between(rng, 0.8, 1.15));
    let spans = nodes.len() - 1;
    for span in 0..spans {
        let (p1, corner1) = nodes[span];
        let (p2, corner2) = nodes[span + 1];
        let p0 = if span == 0 || corner1 {
            p1
        } else {
            nodes[span - 1].0
        };
        let p3 = if span + 1 == spans || corner2 {
            p2
        } else {
            nodes[span + 2].0
        };
        let mut from = p1;
        for step in 1..=PIECES_PER_NODE {
            let t = step as f32 / PIECES_PER_NODE as f32;
            let to = Point {
                x: spline(p0.x, p1.x, p2.x, p3.x, t),
                y: spline(p0.y, p1.y, p2.y, p3.y, t),
            };
            let along = (span as f32 + t) / spans as f32;
            pieces.push(Piece {
                from,
                to,
                pressure: start + (end - start) * along,
            });
            from = to;
        }
    }
}

fn spline(p0: f32, p1: f32, p2: f32, p3: f32, t: f32) -> f32 {
    let a = 2.0 * p1;
    let b = p2 - p0;
    let c = 2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3;
    let d = 3.0 * (p1 - p2) + p3 - p0;
    0.5 * (a + t * (b + t * (c + t * d)))
}

/// An elastic deformation: a random polynomial of the third degree, which bends strokes and makes parts of the digit
/// larger at the cost of others.
struct Warp {
    terms: [Point; 7],
}

impl Warp {
    fn random(strength: f32, rng: &mut Rng) -> Self {
        let spread = [QUADRATIC, QUADRATIC, QUADRATIC, CUBIC, CUBIC, CUBIC, CUBIC];
        Self {
            terms: spread.map(|spread| Point {
                x: normal(rng) * spread * strength,
                y: normal(rng) * spread * strength,
            }),
        }
    }

    fn apply(&self, at: Point) -> Point {
        // From -1 to 1 over the digit, a little more for what sticks out.
        let x = ((at.x - 50.0) / 50.0).clamp(-1.2, 1.2);
        let y = ((at.y - 50.0) / 50.0).clamp(-1.2, 1.2);
        let powers = [
            x * x,
            x * y,
            y * y,
            x * x * x,
            x * x * y,
            x * y * y,
            y * y * y,
        ];
        let mut result = at;
        for (term, power) in self.terms.iter().zip(powers) {
            result.x += term.x * power;
            result.y += term.y * power;
        }
        result
    }
}

/// The writer's slant and proportions: a linear map about the middle.
struct Slant {
    xx: f32,
    xy: f32,
    yx: f32,
    yy: f32,
}

impl Slant {
    fn random(digit: usize, rng: &mut Rng) -> Self {
        // As measured on MNIST's training set: 0 and 1 lean more than the others.
        let (mean, spread) = if digit < 2 { (0.22, 0.3) } else { (0.14, 0.24) };
        let shear = mean + normal(rng) * spread;
        let turn = normal(rng) * 0.09;
        // The first terms of the sine and cosine are enough for a small angle.
        let (sine, cosine) = (turn - turn * turn * turn / 6.0, 1.0 - turn * turn / 2.0);
        let width = between(rng, 0.5, 1.35) * if digit == 0 { 1.1 } else { 1.0 };
        Self {
            xx: cosine * width,
            xy: -cosine * shear - sine,
            yx: sine * width,
            yy: cosine - sine * shear,
        }
    }

    fn apply(&self, at: Point) -> Point {
        let (x, y) = (at.x - 50.0, at.y - 50.0);
        Point {
            x: 50.0 + self.xx * x + self.xy * y,
            y: 50.0 + self.yx * x + self.yy * y,
        }
    }
}

/// A number in `[low, high)`.
pub(crate) fn between(rng: &mut Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.unit()
}

/// A number that is about normally distributed (mean 0, variance 1, never beyond ±3.5): the sum of four uniform ones.
pub(crate) fn normal(rng: &mut Rng) -> f32 {
    let sum = rng.unit() + rng.unit() + rng.unit() + rng.unit();
    (sum - 2.0) * 1.732_050_8
}
