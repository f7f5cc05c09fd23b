//! When outputs count as equal: integers to the byte, floats within a tolerance.

use ember_core::Dtype;

use crate::case::Port;

/// How far a float may be from the reference: absolute below one, relative above.
pub const FLOAT_TOLERANCE: f32 = 1e-5;

/// What differs between an output and the reference; none when they agree.
#[must_use]
pub fn difference(port: &Port, found: &[u8], expected: &[u8]) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!(
            "{} bytes instead of {} for {port}",
            found.len(),
            expected.len()
        ));
    }
    let width = port.dtype.bytes_for(1).unwrap_or(1);
    let mut wrong = found
        .chunks(width)
        .zip(expected.chunks(width))
        .enumerate()
        .filter(|(_, (a, b))| !agree(port.dtype, a, b));
    let (at, (a, b)) = wrong.next()?;
    Some(format!(
        "{} of {} values of {port} differ, first at {at}: {} instead of {}",
        1 + wrong.count(),
        found.len() / width,
        show(port.dtype, a),
        show(port.dtype, b),
    ))
}

fn agree(dtype: Dtype, found: &[u8], expected: &[u8]) -> bool {
    match (dtype, float(found), float(expected)) {
        (Dtype::Float32, Some(a), Some(b)) => {
            (a - b).abs() <= FLOAT_TOLERANCE * b.abs().max(1.0) || a.to_bits() == b.to_bits()
        }
        _ => found == expected,
    }
}

fn float(bytes: &[u8]) -> Option<f32> {
    bytes.try_into().ok().map(f32::from_le_bytes)
}

fn show(dtype: Dtype, bytes: &[u8]) -> String {
    match (dtype, bytes) {
        (Dtype::Int8, &[byte]) => (byte as i8).to_string(),
        (Dtype::Int32, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]).to_string(),
        (Dtype::Float32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]).to_string(),
        _ => format!("{bytes:02x?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::difference;
    use crate::case::Port;
    use ember_core::Dtype;

    #[test]
    fn one_wrong_byte_of_an_integer_is_a_difference() {
        let port = Port {
            dtype: Dtype::Int8,
            shape: vec![3],
        };
        assert_eq!(difference(&port, &[1, 2, 3], &[1, 2, 3]), None);
        let text = difference(&port, &[1, 255, 3], &[1, 0, 3]).unwrap();
        assert!(
            text.contains("1 of 3") && text.contains("-1 instead of 0"),
            "{text}"
        );
        assert!(difference(&port, &[1, 2], &[1, 2, 3]).is_some(), "length");
    }

    #[test]
    fn floats_agree_within_the_tolerance_and_a_nan_never() {
        let port = Port {
            dtype: Dtype::Float32,
            shape: vec![1],
        };
        let check = |a: f32, b: f32| difference(&port, &a.to_le_bytes(), &b.to_le_bytes());
        assert_eq!(check(0.5, 0.500_009), None);
        assert!(check(0.5, 0.500_02).is_some());
        assert_eq!(check(1000.0, 1000.009), None);
        assert!(check(1000.0, 1000.02).is_some());
        assert!(check(f32::NAN, 0.0).is_some());
        assert!(check(f32::INFINITY, 1.0).is_some());
    }
}
