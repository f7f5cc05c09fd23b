"""BROADCAST_ARGS of two shapes."""

from single_op import Tensor, model
from case import Case

import numpy as np

# Name, shapes.
SHAPES = [
    ("same", [2, 3], [2, 3]),
    ("ones", [1, 4, 1], [5, 1, 6]),
    ("shorter_left", [3], [2, 4, 3]),
    ("shorter_right", [2, 4, 3], [4, 1]),
    ("vector", [7], [1]),
]


def cases():
    for dtype in ("int32", "int64"):
        for name, left, right in SHAPES:
            a, b = np.array(left, dtype), np.array(right, dtype)
            inputs = [Tensor(dtype, a.shape), Tensor(dtype, b.shape)]
            output = Tensor(dtype, (max(a.size, b.size),))
            yield Case(f"{dtype}_{name}", model("BROADCAST_ARGS", None, inputs, [output]), [[a, b]])
