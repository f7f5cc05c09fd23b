"""DEQUANTIZE: int8, int16, uint8 and float16 to float32."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, int16_records
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
    for name, scale in [("ordinary", 0.0005), ("huge_scale", 1.0e30)]:
        draw = Draw(f"dequantize/int16_{name}")
        x, y = quantized((1, 40), scale, 0, "int16"), Tensor("float32", (1, 40))
        yield Case(f"int16_{name}", model("DEQUANTIZE", schema.DequantizeOptionsT(), [x], [y], version=3),
                   int16_records(draw, (1, 40)))
    for name, scale, zero_point in [("ordinary", 0.05, 128), ("image", 1 / 255, 0), ("zero_point_high", 0.1, 255)]:
        values = np.array([*range(0, 255, 5), 255], np.uint8)
        x, y = quantized(values.shape, scale, zero_point, "uint8"), Tensor("float32", values.shape)
        yield Case(f"uint8_{name}", model("DEQUANTIZE", schema.DequantizeOptionsT(), [x], [y]), [[values]])
    halves = np.array([0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c00, 0xbc01, 0x3555, 0x7bff, 0xfbff], np.uint16)
    x, y = Tensor("float16", halves.shape), Tensor("float32", halves.shape)
    yield Case("float16_ends", model("DEQUANTIZE", schema.DequantizeOptionsT(), [x], [y], version=3),
               [[halves.view(np.float16)]])
