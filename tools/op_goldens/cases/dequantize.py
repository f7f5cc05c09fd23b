"""DEQUANTIZE: int8 to float32."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw
from single_op import Tensor, model, quantized

import numpy as np

# Both ends and every fifth value between them.
VALUES = np.array([*range(-128, 127, 5), 127], np.int8)

# Name, scale, zero point.
PARAMETERS = [
    ("ordinary", 0.05, -4),
    ("softmax", 0.00390625, -128),
    ("zero_point_high", 0.1, 127),
    ("tiny_scale", 1.0e-30, 3),
    ("huge_scale", 1.0e30, -3),
]


def cases():
    for name, scale, zero_point in PARAMETERS:
        x, y = quantized(VALUES.shape, scale, zero_point), Tensor("float32", VALUES.shape)
        yield Case(f"int8_{name}", model("DEQUANTIZE", schema.DequantizeOptionsT(), [x], [y], version=2),
                   [[VALUES]])
    draw = Draw("dequantize/rank4")
    x, y = quantized((1, 3, 4, 2), 0.05, -4), Tensor("float32", (1, 3, 4, 2))
    yield Case("int8_rank4", model("DEQUANTIZE", schema.DequantizeOptionsT(), [x], [y], version=2),
               [[draw.integers((1, 3, 4, 2), -128, 127)]])
