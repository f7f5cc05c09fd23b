//! LOGISTIC and TANH of integers: `kernels/internal/reference/integer_ops/logistic.h` and `tanh.h`.

use ember_core::QuantizedMultiplier;
use ember_core::fixed_point;

use crate::unary::Unary;

/// Bits before the point of a scaled input of int8: `kInputIntegerBits`.
const INTEGER_BITS: u32 = 4;

ember_core::plain! {
    /// Quantization of the input of int8.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// The input value that stands for zero.
        pub zero_point: i32,
        /// From here on the function is at its end: `CalculateInputRadius` (`kernels/internal/quantization_util.cc`).
        pub radius: i32,
        /// The input's scale in units of `2^-27`.
        pub multiplier: QuantizedMultiplier,
    }
}

impl Quantization {
    /// For an input of this scale and zero point. `None` for a scale below `2^-28`, which TFLM does not take.
    #[must_use]
    pub fn new(scale: f32, zero_point: i32) -> Option<Self> {
        const UNIT: f32 = (1u32 << (31 - INTEGER_BITS)) as f32;
        const LIMIT: u32 = ((1 << INTEGER_BITS) - 1) << (31 - INTEGER_BITS);
        let multiplier = QuantizedMultiplier::from_ratio(scale, UNIT, 1.0);
        let shift = u32::try_from(multiplier.shift).ok()?;
        if multiplier.multiplier == 0 {
            return None;
        }
        Some(Self {
            zero_point,
            radius: LIMIT.checked_shr(shift).unwrap_or(0).cast_signed(),
            multiplier,
        })
    }

    /// The input as Q4.27; beyond the ends the least or the greatest output.
    fn scaled(&self, x: i8) -> Result<i32, i8> {
        let x = i32::from(x).wrapping_sub(self.zero_point);
        if x <= self.radius.wrapping_neg() {
            Err(i8::MIN)
        } else if x >= self.radius {
            Err(i8::MAX)
        } else {
            Ok(self.multiplier.apply(x))
        }
    }
}

/// LOGISTIC of int8; the output has scale 1/256 and zero point -128.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'q>(pub &'q Quantization);

impl Unary for Int8<'_> {
    type Input = i8;
    type Output = i8;

    fn apply(&self, x: i8) -> i8 {
        match self.0.scaled(x) {
            Err(end) => end,
            Ok(x) => {
                let y = fixed_point::rounding_divide_by_pot(fixed_point::logistic(x), 23);
                y.wrapping_sub(128).clamp(-128, 127) as i8
            }
        }
    }
}

/// TANH of int8; the output has scale 1/128 and zero point 0.
#[derive(Clone, Copy, Debug)]
pub struct TanhInt8<'q>(pub &'q Quantization);

impl Unary for TanhInt8<'_> {
    type Input = i8;
    type Output = i8;

    fn apply(&self, x: i8) -> i8 {
        match self.0.scaled(x) {
            Err(end) => end,
            Ok(x) => {
                let y = fixed_point::rounding_divide_by_pot(fixed_point::tanh(x), 24);
                y.clamp(-128, 127) as i8
            }
        }
    }
}

ember_core::plain! {
    /// How inputs of int16 become steps of the table: `(x * multiplier + half) >> shift`, of which 512 are 1/24 for LOGISTIC
    /// and 256 for TANH.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Steps {
        /// At most 32767, or 3 times a power of two.
        pub multiplier: i32,
        /// At most 31.
        pub shift: u32,
    }
}

impl Steps {
    /// For an input of this scale; `exact` are the powers of two above `2^-12` that are taken as they are: 0, for TANH also
    /// 1. `None` for a scale that TFLM does not take.
    #[must_use]
    pub fn new(scale: f32, exact: i32) -> Option<Self> {
        const LIMIT: f64 = 32767.0;
        let exponent = log2_of_power(scale).map(|log2| log2 + 12);
        if let Some(exponent @ 0..) = exponent
            && exponent <= exact
        {
            return Some(Self {
                multiplier: 3 << (exponent & 1),
                shift: 0,
            });
        }
        let mut multiplier = f64::from(scale) * 4096.0 * 3.0;
        let mut shift = 0;
        while multiplier <= LIMIT / 2.0 && shift <= 30 {
            shift += 1;
            multiplier *= 2.0;
        }
        (multiplier <= LIMIT).then_some(Self {
            multiplier: multiplier as i32,
            shift,
        })
    }

    /// For TANH of an input whose scale is the power of two that is nearest to this one: the cell of an LSTM (`Tanh` in
    /// `micro/kernels/lstm_eval.cc`). `None` where a step of the input is more than 4 or next to nothing.
    #[must_use]
    pub fn of_power(scale: f32) -> Option<Self> {
        let log2 = ember_core::float::round(log2(scale));
        if !(-43.0..=2.0).contains(&log2) {
            return None;
        }
        let left = (log2 as i32).wrapping_add(12);
        Some(if left < 0 {
            Self {
                multiplier: 3,
                shift: left.unsigned_abs(),
            }
        } else {
            Self {
                multiplier: 3i32.wrapping_shl(left.cast_unsigned()),
                shift: 0,
            }
        })
    }

    fn of(&self, x: i16) -> i32 {
        let half = if self.shift > 0 {
            1i32.wrapping_shl(self.shift.wrapping_sub(1))
        } else {
            0
        };
        let product = i32::from(x).wrapping_mul(self.multiplier);
        product.wrapping_add(half).wrapping_shr(self.shift)
    }
}

fn log2(x: f32) -> f32 {
    ember_core::elementary::ln(x) * (1.0 / core::f32::consts::LN_2)
}

/// The exponent of a number that is, to a thousandth of an octave, a power of two: `CheckedLog2`
/// (`kernels/internal/quantization_util.cc`).
#[must_use]
pub fn log2_of_power(x: f32) -> Option<i32> {
    let log2 = log2(x);
    let rounded = ember_core::float::round(log2);
    let rest = log2 - rounded;
    (rest < 1e-3 && rest > -1e-3).then_some(rounded as i32)
}

/// `1 / (1 + e^(-i / 24))` in 16 bits: the values of `sigmoid_table_uint16` (`kernels/internal/common.h`), which no
/// rounding of the function gives.
static SIGMOID: [u16; 256] = [
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794,
    41432, 42064, 42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443,
    48964, 49475, 49975, 50464, 50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374,
    54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433, 57724, 58007, 58280, 58544,
    58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110, 61279,
    61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990,
    63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030,
    64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652,
    64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019,
    65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234,
    65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360,
    65367, 65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433,
    65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476,
    65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498, 65500, 65501,
    65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
    65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529,
    65529, 65530, 65530, 65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532,
    65532, 65532, 65532, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65533, 65534, 65534,
    65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
];

/// The table at `at`, and at the next step.
fn look_up(at: u32) -> (u32, u32) {
    let value = |at: u32| SIGMOID.get(at as usize).copied().unwrap_or(u16::MAX);
    (u32::from(value(at)), u32::from(value(at.wrapping_add(1))))
}

/// LOGISTIC of int16; the output has scale 1/32768, both have zero point 0.
#[derive(Clone, Copy, Debug)]
pub struct Int16<'q>(pub &'q Steps);

impl Unary for Int16<'_> {
    type Input = i16;
    type Output = i16;

    fn apply(&self, x: i16) -> i16 {
        let steps = self.0.of(x);
        let magnitude = steps.unsigned_abs();
        let high = magnitude >> 9;
        let value = if high >= 255 {
            0x7fff << 10
        } else {
            let (a, b) = look_up(high);
            let low = magnitude & 0x1ff;
            (a << 9).wrapping_add(low.wrapping_mul(b.wrapping_sub(a)))
        };
        let value = if steps >= 0 {
            value.wrapping_add(1 << 9)
        } else {
            (1u32 << 25).wrapping_sub(value).wrapping_add((1 << 9) - 1)
        };
        (value >> 10) as i16
    }
}

/// TANH of int16; the output has scale 1/32768, both have zero point 0.
#[derive(Clone, Copy, Debug)]
pub struct TanhInt16<'q>(pub &'q Steps);

impl Unary for TanhInt16<'_> {
    type Input = i16;
    type Output = i16;

    fn apply(&self, x: i16) -> i16 {
        let steps = self.0.of(x);
        let magnitude = steps.unsigned_abs();
        let high = magnitude >> 8;
        let value = if high >= 255 {
            0xffff << 8
        } else {
            let (a, b) = look_up(high);
            let low = magnitude & 0xff;
            (a << 8).wrapping_add(low.wrapping_mul(b.wrapping_sub(a)))
        };
        let value = value.cast_signed();
        let value = if steps >= 0 {
            value.wrapping_sub((1 << 23) - (1 << 7))
        } else {
            value.wrapping_neg().wrapping_add((1 << 23) + (1 << 7) - 1)
        };
        (value >> 8) as i16
    }
}
