"""ADD, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw
from cases.weighted import ACTIVATIONS
from single_op import Tensor, constant, model, quantized

import numpy as np


def add(dtype, name, left, right, *, activation="NONE", left_q=(0.05, -4), right_q=(0.031, 12), out_q=(0.08, 3),
        constant_right=False, records=None):
    name = f"{dtype}_{name}"
    draw = Draw(f"add/{name}")
    fields = schema.AddOptionsT()
    fields.fusedActivationFunction = ACTIVATIONS[activation]
    y_shape = np.broadcast_shapes(left, right)

    def values(shape, small=False):
        if dtype == "int8":
            return draw.integers(shape, *((-6, 6) if small else (-128, 127)))
        if dtype == "int16":
            return draw.integers(shape, *((-900, 900) if small else (-32768, 32767)), np.int16)
        if dtype == "int32":
            return draw.integers(shape, *((-4, 4) if small else (-(10**6), 10**6)), np.int32)
        return draw.floats(shape)

    if dtype == "int8":
        a, b, y = quantized(left, *left_q), quantized(right, *right_q), quantized(y_shape, *out_q)
    elif dtype == "int16":
        fields.potScaleInt16 = False
        a, b, y = (quantized(shape, q[0], 0, "int16")
                   for shape, q in ((left, left_q), (right, right_q), (y_shape, out_q)))
    else:
        a, b, y = Tensor(dtype, left), Tensor(dtype, right), Tensor(dtype, y_shape)
    if constant_right:
        b = constant(dtype, values(right), scales=b.scales, zero_points=b.zero_points)
        records = [[values(left)], [values(left, small=True)]]
    records = records or [[values(left), values(right)], [values(left, small=True), values(right, small=True)]]
    ignored = "leaves the fused activation out" if dtype == "int32" and activation != "NONE" else None
    return Case(name, model("ADD", fields, [a, b], [y], version={"int8": 2, "int16": 3}.get(dtype, 1)), records, ignored)


# Name, left shape, right shape.
SHAPES = [
    ("same", (1, 3, 4, 2), (1, 3, 4, 2)),
    ("same_rank1", (17,), (17,)),
    ("same_rank2", (2, 5), (2, 5)),
    ("right_one_element", (1, 2, 3, 2), (1,)),
    ("left_one_element", (1, 1, 1, 1), (1, 2, 3, 2)),
    ("channel_vector", (1, 2, 3, 4), (4,)),
    ("row", (1, 3, 4, 2), (1, 1, 4, 2)),
    ("column", (1, 3, 4, 2), (1, 3, 1, 1)),
    ("both_sides", (1, 3, 1, 2), (2, 1, 4, 1)),
    ("rank3_with_rank2", (2, 3, 4), (3, 1)),
]

# Scales and zero points at the edges, on values all over int8. Name, left, right, output.
SCALES = [
    ("equal_scales", (0.1, 0), (0.1, 0), (0.1, 0)),
    ("halving_output", (0.1, 0), (0.1, 0), (0.2, 0)),
    ("left_far_larger", (1.0, 3), (0.0001, -3), (1.0, 0)),
    ("right_far_larger", (0.0001, 3), (1.0, -3), (1.0, 0)),
    ("zero_points_low", (0.043, -128), (0.057, -128), (0.081, -128)),
    ("zero_points_high", (0.043, 127), (0.057, 127), (0.081, 127)),
    ("zero_points_opposed", (0.043, -128), (0.057, 127), (0.081, -128)),
    ("scales_tiny", (1.0e-8, 1), (3.0e-8, 2), (2.5e-8, 3)),
    ("scales_huge", (1.0e8, 1), (3.0e8, 2), (2.5e8, 3)),
    ("output_saturates", (0.5, 0), (0.5, 0), (0.3, 0)),
    ("output_very_coarse", (0.01, 5), (0.02, -5), (5.0, 1)),
]


def cases():
    for dtype in ("int8", "float32", "int32"):
        for name, left, right in SHAPES:
            if dtype == "int8" or name in ("same", "channel_vector", "both_sides"):
                yield add(dtype, name, left, right)
    for dtype in ("int8", "float32", "int32"):
        for activation in ("RELU", "RELU6", "RELU_N1_TO_1"):
            yield add(dtype, f"activation_{activation.lower()}", (1, 3, 3, 3), (1, 3, 3, 3), activation=activation)
            yield add(dtype, f"broadcast_{activation.lower()}", (1, 2, 3, 3), (3,), activation=activation)
        if dtype != "int32":
            yield add(dtype, "constant_right", (1, 2, 2, 3), (3,), constant_right=True)
    for name, left, right, out in SCALES:
        draw = Draw(f"add/{name}")
        left_values = np.array([*range(-128, 127, 3), 127], np.int8).reshape(1, -1)
        record = [left_values, draw.integers(left_values.shape, -128, 127)]
        yield add("int8", f"scales_{name}", left_values.shape, left_values.shape, left_q=left, right_q=right, out_q=out,
                  records=[record])

    for name, left, right in SHAPES:
        if name in ("same", "channel_vector", "both_sides"):
            yield add("int16", name, left, right)
    for activation in ("RELU", "RELU6"):
        yield add("int16", f"activation_{activation.lower()}", (1, 3, 3, 3), (1, 3, 3, 3), activation=activation,
                  left_q=(0.0005,), right_q=(0.0003,), out_q=(0.0004,))
    for name, left, right, out in SCALES:
        if "zero_points" not in name:
            yield add("int16", f"scales_{name}", (1, 60), (1, 60), left_q=left, right_q=right, out_q=out)
