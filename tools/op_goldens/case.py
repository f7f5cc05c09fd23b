"""What a case is, and the values that cases are made of. The same name gives the same values everywhere, for ever."""

import dataclasses
import math
import random

import numpy as np

from single_op import Tensor, quantized

INT8_MIN, INT8_MAX = -128, 127
INT16_MIN, INT16_MAX = -32768, 32767


@dataclasses.dataclass
class Case:
    """A model of one operator and the records to run it on; a record has one array per input of the model."""

    name: str
    model: bytes
    records: list
    # Why TFLM's outputs are no reference, where that is so: then LiteRT's are.
    not_tflm: str | None = None


class Draw:
    """Values for one case, drawn from its name: adding a case does not change the others.

    Only `random.Random.random` is used, whose sequence Python guarantees across versions.
    """

    def __init__(self, name):
        self._random = random.Random(name)

    def unit(self):
        """One number, uniform in [0, 1)."""
        return self._random.random()

    def integers(self, shape, low, high, dtype=np.int8):
        """Integers, uniform in [low, high]."""
        count = math.prod(shape)
        values = [low + int(self.unit() * (high - low + 1)) for _ in range(count)]
        return np.array(values, dtype=dtype).reshape(shape)

    def floats(self, shape, low=-4.0, high=4.0):
        """float32, uniform in [low, high)."""
        values = [low + self.unit() * (high - low) for _ in range(math.prod(shape))]
        return np.array(values, dtype=np.float32).reshape(shape)

    def scales(self, count, low, high):
        """`count` scales, uniform in their logarithm, each exactly a float32."""
        return [
            float(np.float32(math.exp(math.log(low) + self.unit() * (math.log(high) - math.log(low)))))
            for _ in range(count)
        ]


def int8_records(draw, shape, zero_point=0):
    """Two records: values near the zero point, and values from all of int8 with each end drawn often."""
    near = np.clip(draw.integers(shape, -6, 6, np.int32) + zero_point, INT8_MIN, INT8_MAX)
    wide = np.clip(draw.integers(shape, INT8_MIN - 40, INT8_MAX + 40, np.int32), INT8_MIN, INT8_MAX)
    return [[wide.astype(np.int8)], [near.astype(np.int8)]]


def int16_records(draw, shape, zero_point=0):
    """Two records: small values, and values from all of int16 with each end drawn often."""
    near = draw.integers(shape, -600, 600, np.int32) + zero_point
    wide = draw.integers(shape, INT16_MIN - 9000, INT16_MAX + 9000, np.int32)
    return [[np.clip(values, INT16_MIN, INT16_MAX).astype(np.int16)] for values in (wide, near)]


def float_records(draw, shape):
    """One record in float32: ordinary values, values around zero, and the negative zero."""
    values = np.where(draw.integers(shape, 0, 3) == 0, draw.floats(shape, -0.01, 0.01), draw.floats(shape))
    values.flat[0] = -0.0
    return [[values.astype(np.float32)]]


def window_output(size, window, stride, dilation, padding):
    """Output extent of a sliding window, as TensorFlow defines SAME and VALID."""
    effective = (window - 1) * dilation + 1
    if padding == "SAME":
        return -(-size // stride)
    return -(-(size - effective + 1) // stride)


LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def values_of(draw, dtype, shape, low=None, high=None):
    """Values of a type: floats around zero, truth values, integers from `low` to `high` or from all of the type."""
    if dtype == "float32":
        return draw.floats(shape, -4.0 if low is None else low, 4.0 if high is None else high)
    if dtype == "bool":
        return draw.integers(shape, 0, 8) < 4
    limits = LIMITS[dtype]
    low, high = limits[0] if low is None else low, limits[1] if high is None else high
    # Doubles do not reach the ends of int64; what lies beside them does not matter.
    return draw.integers(shape, low, min(high, 2**63 - 2048), np.dtype(dtype))


def tensor_of(dtype, shape, scale=0.1, zero_point=3):
    """A tensor of a type, with scale and zero point where it is int8 or int16 (zero point 0)."""
    if dtype == "int8":
        return quantized(shape, scale, zero_point)
    if dtype == "int16":
        return quantized(shape, scale, 0, "int16")
    return Tensor(dtype, tuple(shape))


# Geometry shared by the convolutions and the pools: name, input [N, H, W, C], window (h, w), stride (h, w),
# dilation (h, w), padding. The dilation is used by the convolutions only.
WINDOWS = [
    ("3x3_same", (1, 5, 5, 2), (3, 3), (1, 1), (1, 1), "SAME"),
    ("3x3_valid", (1, 5, 5, 2), (3, 3), (1, 1), (1, 1), "VALID"),
    ("3x3_same_stride2_odd", (1, 5, 5, 2), (3, 3), (2, 2), (1, 1), "SAME"),
    ("3x3_same_stride2_even", (1, 6, 6, 2), (3, 3), (2, 2), (1, 1), "SAME"),
    ("2x2_same_uneven_padding", (1, 3, 4, 3), (2, 2), (1, 1), (1, 1), "SAME"),
    ("2x2_valid_stride2", (1, 6, 4, 3), (2, 2), (2, 2), (1, 1), "VALID"),
    ("2x2_valid_stride2_remainder", (1, 5, 7, 1), (2, 2), (2, 2), (1, 1), "VALID"),
    ("1x4_valid_stride_1_3", (1, 3, 10, 2), (1, 4), (1, 3), (1, 1), "VALID"),
    ("4x1_same_stride_3_1", (1, 7, 2, 2), (4, 1), (3, 1), (1, 1), "SAME"),
    ("3x3_same_dilation2", (1, 6, 6, 2), (3, 3), (1, 1), (2, 2), "SAME"),
    ("3x2_valid_dilation_1_3", (1, 5, 7, 2), (3, 2), (1, 1), (1, 3), "VALID"),
    ("5x5_same_larger_than_input", (1, 3, 2, 2), (5, 5), (1, 1), (1, 1), "SAME"),
    ("1x1_stride2", (1, 4, 5, 3), (1, 1), (2, 2), (1, 1), "VALID"),
    ("1x1_single_pixel", (1, 1, 1, 5), (1, 1), (1, 1), (1, 1), "VALID"),
    ("2x2_same_batch3", (3, 3, 2, 2), (2, 2), (1, 1), (1, 1), "SAME"),
    ("10x4_same_stride2", (1, 12, 3, 1), (10, 4), (2, 2), (1, 1), "SAME"),
]

# The geometry is the same code for every type, so the types other than int8 see the rows that differ most.
OTHER_WINDOWS = {
    "2x2_same_uneven_padding",
    "1x4_valid_stride_1_3",
    "3x3_same_dilation2",
    "3x2_valid_dilation_1_3",
    "5x5_same_larger_than_input",
    "2x2_same_batch3",
}


def windows_for(dtype):
    """The rows of `WINDOWS` that a type is tested on."""
    return [row for row in WINDOWS if dtype == "int8" or row[0] in OTHER_WINDOWS]
