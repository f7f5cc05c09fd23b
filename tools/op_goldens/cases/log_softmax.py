"""LOG_SOFTMAX along the last axis; int8 output always has scale 1/16 and zero point 127."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw
from single_op import Tensor, model, quantized

import numpy as np


def log_softmax(dtype, name, dims, *, scale=0.1, zero_point=4, records=None):
    name = f"{dtype}_{name}"
    draw = Draw(f"log_softmax/{name}")
    if dtype == "int8":
        x, y = quantized(dims, scale, zero_point), quantized(dims, 1 / 16, 127)
        records = records or [
            [draw.integers(dims, -128, 127)],
            [draw.integers(dims, -10, 30)],
            [np.where(np.arange(np.prod(dims)) % dims[-1] == 0, -128, 127).astype(np.int8).reshape(dims)],
        ]
    else:
        x, y = Tensor("float32", dims), Tensor("float32", dims)
        records = records or [[draw.floats(dims)], [draw.floats(dims, -60.0, 60.0)]]
    return Case(name, model("LOG_SOFTMAX", schema.LogSoftmaxOptionsT(), [x], [y]), records)


def cases():
    for dtype in ("int8", "float32"):
        yield log_softmax(dtype, "rank1", (10,))
        yield log_softmax(dtype, "rank2", (2, 10))
        yield log_softmax(dtype, "rank3", (2, 3, 5))
        yield log_softmax(dtype, "rank4", (1, 2, 2, 6))
        yield log_softmax(dtype, "one_class", (5, 1))
        yield log_softmax(dtype, "many_classes", (1, 200))
    for name, scale, zero_point in [("tiny", 1e-6, 0), ("small", 0.004, 127), ("third", 1 / 3, -128), ("one", 1.0, 0),
                                    ("large", 7.5, 127), ("huge", 1e4, -128)]:
        yield log_softmax("int8", f"scale_{name}", (2, 10), scale=scale, zero_point=zero_point)
    # One row per distance from the maximum: the logarithm of sums between one and two.
    rows = np.stack([np.array([127, v], np.int8) for v in range(-128, 128)])
    for name, scale in [("0_02", 0.02), ("0_05", 0.05), ("0_11", 0.11)]:
        yield log_softmax("int8", f"distances_scale_{name}", (256, 2), scale=scale, records=[[rows]])
    # One row per number of equal elements: the logarithm of sums up to 120.
    rows = np.stack([np.where(np.arange(120) < count, 127, -128).astype(np.int8) for count in range(1, 121)])
    yield log_softmax("int8", "sums", (120, 120), scale=0.06, records=[[rows]])
    yield log_softmax("float32", "far_apart", (2, 3), records=[
        [np.array([[-1e30, 0.0, 1e30], [88.0, -88.0, 0.0]], np.float32)],
        [np.array([[-104.0, -103.0, 0.0], [1e-30, -1e-30, 0.0]], np.float32)],
    ])
