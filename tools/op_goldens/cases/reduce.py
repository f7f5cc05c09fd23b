"""What MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL share."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model

import numpy as np

# Name, input, axes, whether the output keeps them.
REDUCTIONS = [
    ("rank1", (9,), [0], False),
    ("rows", (4, 5), [0], False),
    ("columns", (4, 5), [1], True),
    ("image", (2, 3, 4, 3), [1, 2], True),
    ("image_flat", (1, 4, 4, 2), [1, 2], False),
    ("channels", (1, 3, 2, 5), [-1], False),
    ("apart", (3, 2, 4), [0, 2], False),
    ("everything", (2, 3, 2), [0, 1, 2], True),
]
FEW = ("columns", "image", "apart")


def reduction(operator, op, dtype, name, dims, axes, keep, source=(0.1, 3), target=(0.1, 3), version=2):
    name = f"{dtype}_{name}"
    draw = Draw(f"{operator}/{name}")
    fields = schema.ReducerOptionsT()
    fields.keepDims = keep
    gone = {axis % len(dims) for axis in axes}
    shape = [1 if i in gone else size for i, size in enumerate(dims) if keep or i not in gone]
    x, y = tensor_of(dtype, dims, *source), tensor_of(dtype, shape, *target)
    return Case(name, model(op, fields, [x, constant("int32", axes)], [y], version=version), [[values_of(draw, dtype, dims)]])


# Name, input, axes of each record, whether the output keeps them: axes that come as an input.
GIVEN = [
    ("axis_given", (4, 4), ([0], [1]), False),
    ("axes_given_twice", (3, 2, 3), ([0, 0], [-1, 2]), False),
    ("axes_given", (2, 3, 3, 2), ([1, 2], [-2, -3]), True),
]


def reduction_at(operator, op, dtype, name, dims, axes, keep, source=(0.1, 3), target=(0.1, 3)):
    name = f"{dtype}_{name}"
    draw = Draw(f"{operator}/{name}")
    fields = schema.ReducerOptionsT()
    fields.keepDims = keep
    gone = {axis % len(dims) for axis in axes[0]}
    shape = [1 if i in gone else size for i, size in enumerate(dims) if keep or i not in gone]
    x, y = tensor_of(dtype, dims, *source), tensor_of(dtype, shape, *target)
    records = [[values_of(draw, dtype, dims), np.array(given, np.int32)] for given in axes]
    return Case(name, model(op, fields, [x, Tensor("int32", (len(axes[0]),))], [y], version=2), records)


# Name, input, output.
SCALES = [
    ("finer_output", (0.1, 0), (0.03, 5)),
    ("coarser_output", (0.1, -100), (0.7, -128)),
    ("zero_point_highest", (0.05, 127), (0.06, 127)),
    ("zero_point_lowest", (0.05, -128), (0.04, -128)),
    ("output_far_coarser", (0.001, 3), (0.2, -3)),
]


def cases_of(operator, op, types, scaled=()):
    for dtype in types:
        for row in REDUCTIONS:
            if dtype == types[0] or row[0] in FEW:
                yield reduction(operator, op, dtype, *row)
        for row in GIVEN:
            yield reduction_at(operator, op, dtype, *row)
    for dtype in scaled:
        for name, source, target in SCALES:
            if dtype == "int8" or "zero_point" not in name:
                yield reduction(operator, op, dtype, f"scales_{name}", (2, 5, 3, 4), [1, 2], True, source, target)
                yield reduction(operator, op, dtype, f"seven_{name}", (7, 6), [0], False, source, target)
        yield reduction_at(operator, op, dtype, "scales_axes_given", (5, 7), ([0, 1], [1, 0]), False, (0.1, 3), (0.07, -9))
