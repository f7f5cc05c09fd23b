//! Rust literals: numbers, structs of numbers and long arrays.

use std::fmt::{Debug, Write as _};

use ember_core::Clamp;

/// No line is longer, unless one element alone is.
const WIDTH: usize = 100;

/// A value as Rust source.
pub(super) trait Literal {
    /// The text.
    fn literal(&self) -> String;
}

impl Literal for f32 {
    fn literal(&self) -> String {
        if self.is_finite() {
            // As few digits as give the same number again.
            format!("{self:?}")
        } else if self.is_nan() {
            format!("f32::from_bits({:#010x})", self.to_bits())
        } else if *self > 0.0 {
            "f32::INFINITY".to_owned()
        } else {
            "f32::NEG_INFINITY".to_owned()
        }
    }
}

impl Literal for Clamp<i32> {
    fn literal(&self) -> String {
        debug(self)
    }
}

impl Literal for Clamp<f32> {
    fn literal(&self) -> String {
        let (min, max) = (self.min.literal(), self.max.literal());
        format!("Clamp {{ min: {min}, max: {max} }}")
    }
}

/// A struct of integers, whose `Debug` form is Rust source.
pub(super) fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// A struct or array in one line if it fits there, else with what it consists of in a line each. `first` columns are taken in
/// the first line, and the others begin at column `indent`.
pub(super) fn broken(text: &str, indent: usize, first: usize) -> String {
    let (Some(open), Some(close)) = (text.find(['{', '[']), text.rfind(['}', ']'])) else {
        return text.to_owned();
    };
    if first + text.len() <= WIDTH {
        return text.to_owned();
    }
    let (head, inside, tail) = (&text[..=open], &text[open + 1..close], &text[close..]);
    let mut lines = head.to_owned();
    let deeper = indent + 4;
    for part in parts(inside) {
        let part = broken(part, deeper, deeper + 1);
        // Writing to a `String` cannot fail.
        let _ = write!(lines, "\n{:deeper$}{part},", "");
    }
    let _ = write!(lines, "\n{:indent$}{tail}", "");
    lines
}

/// What stands between the outermost commas.
pub(super) fn parts(inside: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, character) in inside.char_indices() {
        match character {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(inside[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = inside[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// Elements between brackets, as many in a line as fit.
pub(super) fn filled(elements: impl Iterator<Item = String>) -> String {
    let mut text = "[".to_owned();
    let mut column = WIDTH;
    for element in elements {
        if column + element.len() + 2 > WIDTH {
            text.push_str("\n   ");
            column = 3;
        }
        // Writing to a `String` cannot fail.
        let _ = write!(text, " {element},");
        column += element.len() + 2;
    }
    if column < WIDTH {
        text.push('\n');
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::{Literal, broken, filled};

    #[test]
    fn floats_read_as_the_same_float() {
        let numbers = [
            0.1f32,
            -0.0,
            1e-7,
            f32::MIN_POSITIVE / 8.0,
            f32::MAX,
            16_777_217.0,
        ];
        for number in numbers {
            let read: f32 = number.literal().parse().unwrap();
            assert_eq!(read.to_bits(), number.to_bits());
        }
        assert_eq!(f32::INFINITY.literal(), "f32::INFINITY");
        assert_eq!((-f32::INFINITY).literal(), "f32::NEG_INFINITY");
        assert_eq!(
            f32::from_bits(0x7fc0_0001).literal(),
            "f32::from_bits(0x7fc00001)"
        );
    }

    #[test]
    fn what_is_too_long_for_a_line_is_broken_at_its_outermost_commas() {
        let text = "Shape { rows: Axis { input: 1, output: 2 }, columns: [3, 4] }";
        assert_eq!(broken(text, 0, 0), text);
        assert_eq!(
            broken(text, 0, 60),
            "Shape {\n    rows: Axis { input: 1, output: 2 },\n    columns: [3, 4],\n}"
        );
    }

    #[test]
    fn arrays_fill_their_lines() {
        let text = filled((0..60).map(|number| (number * 1000).to_string()));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines[0], lines[lines.len() - 1]), ("[", "]"));
        assert!(lines.iter().all(|line| line.len() <= 100));
        assert!(lines[1].len() > 90);
        assert_eq!(filled(std::iter::empty()), "[]");
    }
}
