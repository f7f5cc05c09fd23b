"""SOFTMAX along the last axis; int8 output always has scale 1/256 and zero point -128."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw
from single_op import Tensor, model, quantized

import numpy as np


def softmax(dtype, name, dims, *, beta=1.0, scale=0.1, zero_point=4, records=None, wide=False):
    name = f"{dtype}_{'to_int16_' if wide else ''}{name}"
    draw = Draw(f"softmax/{name}")
    fields = schema.SoftmaxOptionsT()
    fields.beta = beta
    if dtype == "int8":
        x = quantized(dims, scale, zero_point)
        y = quantized(dims, 1 / 65536, -32768, "int16") if wide else quantized(dims, 1 / 256, -128)
        records = records or [
            [draw.integers(dims, -128, 127)],
            [draw.integers(dims, -10, 30)],
            [np.where(draw.integers(dims, 0, 1).astype(bool), -128, 127).astype(np.int8)],
            [np.where(np.arange(np.prod(dims)) % dims[-1] == 0, -128, 127).astype(np.int8).reshape(dims)],
        ]
    elif dtype == "int16":
        x, y = quantized(dims, scale, 0, "int16"), quantized(dims, 1 / 32768, 0, "int16")
        records = records or [
            [draw.integers(dims, -32768, 32767, np.int16)],
            [draw.integers(dims, -3000, 4000, np.int16)],
            [np.where(np.arange(np.prod(dims)) % dims[-1] == 0, -32768, 32767).astype(np.int16).reshape(dims)],
        ]
    else:
        x, y = Tensor("float32", dims), Tensor("float32", dims)
        records = records or [[draw.floats(dims)], [draw.floats(dims, -60.0, 60.0)]]
    return Case(name, model("SOFTMAX", fields, [x], [y], version=1 if dtype == "float32" else 2), records)


def cases():
    for dtype in ("int8", "float32"):
        yield softmax(dtype, "rank1", (10,))
        yield softmax(dtype, "rank2", (1, 10))
        yield softmax(dtype, "rank4", (1, 2, 2, 6))
        yield softmax(dtype, "one_class", (5, 1))
        for beta in (0.5, 10.0):
            yield softmax(dtype, f"beta_{beta}".replace(".", "_"), (3, 10), beta=beta)
    yield softmax("int8", "rank3", (2, 3, 5))
    yield softmax("int8", "many_classes", (1, 120))
    for beta in (2.0, 0.01):
        yield softmax("int8", f"beta_{beta}".replace(".", "_"), (3, 10), beta=beta)
    for name, scale, zero_point in [("tiny", 1e-6, 0), ("small", 0.004, 127), ("third", 1 / 3, -128), ("one", 1.0, 0),
                                    ("large", 7.5, 127), ("huge", 1e4, -128)]:
        yield softmax("int8", f"scale_{name}", (2, 10), scale=scale, zero_point=zero_point)
    for name, dims, scale in [("rank1", (10,), 0.1), ("rank4", (1, 2, 2, 6), 0.05), ("many_classes", (1, 120), 0.02),
                              ("one_class", (5, 1), 0.1), ("scale_large", (2, 10), 7.5), ("scale_tiny", (2, 10), 1e-6)]:
        yield softmax("int8", name, dims, scale=scale, wide=True)
    # One row per distance from the maximum: the exponential's whole table.
    rows = np.stack([np.array([127, v], np.int8) for v in range(-128, 128)])
    for name, scale in [("0_02", 0.02), ("0_05", 0.05), ("0_11", 0.11)]:
        yield softmax("int8", f"exponential_scale_{name}", (256, 2), scale=scale, records=[[rows]])
    yield softmax("float32", "far_apart", (2, 3), records=[
        [np.array([[-1e30, 0.0, 1e30], [88.0, -88.0, 0.0]], np.float32)],
        [np.array([[-104.0, -103.0, 0.0], [1e-30, -1e-30, 0.0]], np.float32)],
    ])

    for name, dims in [("rank1", (10,)), ("rank2", (1, 10)), ("rank4", (1, 2, 2, 6)), ("one_class", (5, 1)),
                       ("many_classes", (1, 120))]:
        yield softmax("int16", name, dims, scale=0.0003)
    for beta in (0.5, 10.0):
        yield softmax("int16", f"beta_{beta}".replace(".", "_"), (3, 10), beta=beta, scale=0.0003)
    for name, scale in [("tiny", 1e-6), ("small", 1e-4), ("large", 0.01), ("one", 1.0)]:
        yield softmax("int16", f"scale_{name}", (2, 10), scale=scale)
    # Distances over the whole of the exponential's table, and sums over the whole of the reciprocal's.
    rows = np.stack([np.array([32767, 32767 - 83 * d, 32767 - 41 * d], np.int64) for d in range(700)])
    yield softmax("int16", "tables", (700, 3), scale=0.0003, records=[[rows.clip(-32768, 32767).astype(np.int16)]])
