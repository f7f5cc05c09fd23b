//! How figures are written: bytes and counts in full with separators, never rounded to KB.

/// `90316` → `90,316`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.9784` → `97.84 %`.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.2} %", fraction * 100.0)
}

/// A range of fractions: `97.60-97.80 %`, one figure where both ends are the same.
pub(crate) fn percent_range((low, high): (f64, f64)) -> String {
    if low == high {
        percent(low)
    } else {
        format!("{:.2}-{:.2} %", low * 100.0, high * 100.0)
    }
}

/// The difference of two fractions in percentage points: `+0.08`.
pub(crate) fn points(difference: f64) -> String {
    let text = format!("{:+.2}", difference * 100.0);
    if text == "-0.00" {
        "+0.00".to_owned()
    } else {
        text
    }
}

/// `a / b` as a factor: `3.47×`; `None` when `b` is zero.
pub(crate) fn factor(a: f64, b: f64) -> Option<String> {
    (b != 0.0).then(|| format!("{:.2}×", a / b))
}

/// Mean cross entropy.
pub(crate) fn loss(value: f64) -> String {
    format!("{value:.4}")
}

/// Seconds, three significant places at most.
pub(crate) fn seconds(value: f64) -> String {
    let places = if value < 10.0 { 2 } else { 1 };
    format!("{value:.places$}")
}

/// Microseconds.
pub(crate) fn microseconds(value: f64) -> String {
    let places = if value < 100.0 { 1 } else { 0 };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_539_367_283), "1,539,367,283");
    }

    #[test]
    fn differences_never_show_a_negative_zero() {
        assert_eq!(points(-0.000_01), "+0.00");
        assert_eq!(points(-0.0008), "-0.08");
    }

    #[test]
    fn a_factor_of_nothing_is_no_factor() {
        assert_eq!(factor(1.0, 0.0), None);
        assert_eq!(factor(90_316.0, 25_992.0).as_deref(), Some("3.47×"));
    }
}
