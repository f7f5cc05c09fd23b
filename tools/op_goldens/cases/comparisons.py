"""What EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL share."""

from case import Draw
from cases.binary import EDGES, pair, shapes_for

import numpy as np


def cases_of(operator, op, fields, types=("int8", "float32", "int32", "int64")):
    for dtype in types:
        few = {} if dtype == "bool" else {"low": -3, "high": 3}
        for name, left, right in shapes_for(dtype == "int8"):
            # Small numbers, so that some pairs are equal.
            draw = Draw(f"{operator}/{dtype}_{name}")
            records = [[draw.integers(shape, -3, 3, np.float32) for shape in (left, right)]]
            records = records if dtype == "float32" else None
            yield pair(operator, op, fields, dtype, name, left, right, out="bool", records=records, version=2 if dtype == "int8" else 1,
                       scales=((0.5, 3), (0.5, 3), (1, 0)), **(few if dtype != "int8" else {"low": 1, "high": 6}))
    every = np.arange(-128, 128, 3, dtype=np.int8).reshape(1, -1)
    for name, left, right, _ in EDGES:
        if name in ("equal_scales", "zero_points_low", "zero_points_high", "scales_small", "right_far_larger"):
            if "larger" in name:
                right = (0.0001, 3)
            # Every other pair is of one number, and the first is of two zeros.
            one, other = every.copy(), np.where(np.arange(every.size) % 2, every, every[:, ::-1])
            one[0, 0], other[0, 0] = left[1], right[1]
            yield pair(operator, op, fields, "int8", f"scales_{name}", every.shape, every.shape, out="bool", version=2,
                       scales=(tuple(left), tuple(right), (1, 0)), records=[[one, other]])
    wide = np.array([[2**40, -(2**40), 5, -5, 2**33 + 1, 0]], np.int64)
    yield pair(operator, op, fields, "int64", "beyond_32_bits", wide.shape, wide.shape, out="bool",
               records=[[wide, np.array([[2**40 + 1, -(2**40) - 1, 5, 2**32 - 5, 1, 0]], np.int64)]])
