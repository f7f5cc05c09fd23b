"""QUANTIZE: float32 to int8 and int16, and integers to integers of other types and with other parameters."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, int16_records, values_of
from cases.weighted import EVERY_INT8
from single_op import Tensor, model, quantized

import numpy as np

# Name, scale, zero point.
FROM_FLOAT = [
    ("ordinary", 0.05, -4),
    ("image", 0.003921568859368563, -128),
    ("power_of_two", 0.5, 0),
    ("zero_point_high", 0.1, 127),
    ("tiny_scale", 1.0e-7, 3),
    ("huge_scale", 1.0e6, -3),
]

# Name, input (scale, zero point), output (scale, zero point).
REQUANTIZE = [
    ("same", (0.1, 3), (0.1, 3)),
    ("same_scale_other_zero_point", (0.1, 3), (0.1, -20)),
    ("halve_ties", (0.25, 0), (0.5, 0)),
    ("quarter_ties", (0.125, 0), (0.5, 0)),
    ("double", (0.5, 0), (0.25, 0)),
    ("shrink", (0.031, -12), (0.117, 9)),
    ("grow_saturates", (0.9, 4), (0.013, -4)),
    ("from_lowest_zero_point", (0.02, -128), (0.021, -30)),
    ("from_highest_zero_point", (0.02, 127), (0.019, 30)),
    ("tiny_ratio", (1.0e-6, 0), (10.0, 5)),
    ("huge_ratio", (10.0, 1), (1.0e-3, -1)),
]


def floats_around(scale, zero_point):
    """Steps of a quarter of the scale near zero and near both ends: ties, what lies between, and what saturates."""
    near_zero = np.arange(zero_point - 4, zero_point + 4, 0.25)
    low, high = np.arange(-130, -126.5, 0.25), np.arange(125.5, 130, 0.25)
    ties = np.concatenate([low, near_zero, high, np.arange(-125.5, 126, 11)])
    return ((ties - zero_point) * np.float64(np.float32(scale))).astype(np.float32)


def cases():
    for name, scale, zero_point in FROM_FLOAT:
        values = floats_around(scale, zero_point)
        x, y = Tensor("float32", values.shape), quantized(values.shape, scale, zero_point)
        yield Case(f"float32_to_int8_{name}", model("QUANTIZE", schema.QuantizeOptionsT(), [x], [y]), [[values]])
    draw = Draw("quantize/rank4")
    x, y = Tensor("float32", (1, 3, 4, 2)), quantized((1, 3, 4, 2), 0.03, 5)
    yield Case("float32_to_int8_rank4", model("QUANTIZE", schema.QuantizeOptionsT(), [x], [y]),
               [[draw.floats((1, 3, 4, 2))]])
    for name, source, target in REQUANTIZE:
        x, y = quantized((1, 256), *source), quantized((1, 256), *target)
        yield Case(f"int8_to_int8_{name}", model("QUANTIZE", schema.QuantizeOptionsT(), [x], [y], version=2),
                   [[EVERY_INT8.reshape(1, 256)]])
    for name, scale in [("ordinary", 0.0005), ("power_of_two", 0.5), ("tiny_scale", 1.0e-7)]:
        near = np.arange(-4, 4, 0.25)
        values = (np.concatenate([near - 32768, near, near + 32767]) * np.float64(np.float32(scale))).astype(np.float32)
        x, y = Tensor("float32", values.shape), quantized(values.shape, scale, 0, "int16")
        yield Case(f"float32_to_int16_{name}", model("QUANTIZE", schema.QuantizeOptionsT(), [x], [y]), [[values]])
    for name, source, target in [("same_steps", (0.1, 3), (0.1, 0)), ("finer", (0.1, -128), (0.0004, 0)),
                                 ("saturates", (0.1, 127), (0.0001, 0))]:
        x, y = quantized((1, 256), *source), quantized((1, 256), *target, "int16")
        yield Case(f"int8_to_int16_{name}", model("QUANTIZE", schema.QuantizeOptionsT(), [x], [y], version=2),
                   [[EVERY_INT8.reshape(1, 256)]])
    for name, source, target, dtype in [
        ("int16_to_int8_coarser", 0.0004, (0.1, -128), "int8"), ("int16_to_int8_ties", 0.25, (0.5, 4), "int8"),
        ("int16_to_int16_ties", 0.25, (0.5, 0), "int16"), ("int16_to_int16_grow", 0.3, (0.2, 0), "int16"),
    ]:
        draw = Draw(f"quantize/{name}")
        x, y = quantized((1, 90), source, 0, "int16"), quantized((1, 90), *target, dtype)
        yield Case(name, model("QUANTIZE", schema.QuantizeOptionsT(), [x], [y], version=2), int16_records(draw, (1, 90)))
    for source, target, first, second in [
        ("int8", "uint8", (0.1, 3), (0.1, 131)), ("int8", "uint8", (0.1, 3), (0.07, 100)),
        ("uint8", "int8", (0.1, 131), (0.1, 3)), ("uint8", "int8", (0.1, 0), (0.13, -128)),
        ("int8", "int32", (0.1, 3), (0.0001, 7)), ("int8", "int32", (0.1, -128), (1e-9, 0)),
        ("int16", "int32", (0.25, 0), (0.5, -100)), ("int16", "int32", (0.1, 0), (0.0001, 0)),
        ("int32", "int8", (0.0001, 0), (0.1, -3)), ("int32", "int8", (0.25, 100), (0.5, 0)),
        ("int32", "int16", (0.0001, 0), (0.001, 0)), ("int32", "int16", (0.25, -7), (0.125, 0)),
    ]:
        name = f"{source}_to_{target}_{first[0]:g}_{second[0]:g}".replace(".", "_").replace("-", "minus_")
        draw = Draw(f"quantize/{name}")
        # Of int32 no more than what the shift to the left keeps.
        low, high = (-40000, 40000) if source == "int32" else (None, None)
        x = Tensor(source, (1, 120), scales=[first[0]], zero_points=[first[1]])
        y = Tensor(target, (1, 120), scales=[second[0]], zero_points=[second[1]])
        yield Case(name, model("QUANTIZE", schema.QuantizeOptionsT(), [x], [y], version=2),
                   [[values_of(draw, source, (1, 120), low, high)]])
