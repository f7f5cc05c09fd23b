"""What the operators on two inputs share: shapes that are broadcast, and a case on two inputs."""

from case import Case, Draw, tensor_of, values_of
from single_op import model

import numpy as np

# Name, left shape, right shape.
SHAPES = [
    ("same", (1, 3, 4, 2), (1, 3, 4, 2)),
    ("rank1", (17,), (17,)),
    ("right_one_element", (1, 2, 3, 2), (1,)),
    ("left_one_element", (1, 1, 1, 1), (1, 2, 3, 2)),
    ("channel_vector", (1, 2, 3, 4), (4,)),
    ("column", (1, 3, 4, 2), (1, 3, 1, 1)),
    ("both_sides", (1, 3, 1, 2), (2, 1, 4, 1)),
    ("rank3_with_rank2", (2, 3, 4), (3, 1)),
]

# Those that types other than the first see.
FEW = {"same", "both_sides", "channel_vector"}


def shapes_for(first):
    """All shapes for an operator's first type, some for the others."""
    return [row for row in SHAPES if first or row[0] in FEW]


# Scales and zero points of left, right and output.
QUANTIZATION = ((0.05, -4), (0.031, 12), (0.08, 3))


def pair(operator, op, fields, dtype, name, left, right, *, out=None, scales=QUANTIZATION, version=1, low=None, high=None,
         right_dtype=None, right_low=None, right_high=None, records=None, quantize_out=True):
    """A case of `op` on two inputs; the output is of the type `out`, or of that of the inputs."""
    name = f"{dtype}_{name}"
    draw = Draw(f"{operator}/{name}")
    right_dtype = right_dtype or dtype
    a, b = tensor_of(dtype, left, *scales[0]), tensor_of(right_dtype, right, *scales[1])
    y = tensor_of(out or dtype, np.broadcast_shapes(left, right), *scales[2])
    if records is None:
        right_low, right_high = (low, high) if right_low is None else (right_low, right_high)
        records = [[values_of(draw, dtype, left, low, high), values_of(draw, right_dtype, right, right_low, right_high)]]
    return Case(name, model(op, fields, [a, b], [y], version=version), records)


# Quantization at the edges: name, left, right, output.
EDGES = [
    ("equal_scales", (0.1, 0), (0.1, 0), (0.1, 0)),
    ("halving_output", (0.1, 0), (0.1, 0), (0.2, 0)),
    ("left_far_larger", (1.0, 3), (0.0001, -3), (1.0, 0)),
    ("right_far_larger", (0.0001, 3), (0.9, -3), (0.7, 0)),
    ("zero_points_low", (0.043, -128), (0.057, -128), (0.081, -128)),
    ("zero_points_high", (0.043, 127), (0.057, 127), (0.081, 127)),
    ("zero_points_opposed", (0.043, -128), (0.057, 127), (0.081, -128)),
    ("scales_small", (1.0e-3, 1), (3.0e-3, 2), (2.5e-3, 3)),
    ("output_saturates", (0.5, 0), (0.5, 0), (0.3, 0)),
]


def edges(operator, op, fields, dtype, output_scale=None, **rest):
    """Cases on quantization at the edges, over values from all of the type, with an output scale by those of the inputs."""
    for name, left, right, (scale, zero_point) in EDGES:
        scale, zero_point = (output_scale(left[0], right[0]), -100) if output_scale else (scale, zero_point)
        scales = left, right, (scale, zero_point)
        if dtype == "int8" or "zero_points" not in name:
            yield pair(operator, op, fields, dtype, f"scales_{name}", (1, 60), (1, 60), scales=scales, **rest)
