"""ARG_MAX along an axis, constant or not, as int32; the first of equal elements counts."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model

import numpy as np

# Name, input, axis.
AXES = [
    ("rank1", (9,), 0),
    ("rows", (4, 5), 0),
    ("columns", (4, 5), 1),
    ("last", (1, 2, 3, 6), -1),
    ("middle", (2, 7, 3), 1),
]
# Axes that come as an input: those of the records give outputs of one shape.
AXES_AT = [("axis_given", (3, 3), (0, 1)), ("axis_given_from_the_end", (1, 4, 1, 4), (-1, 1))]


def cases_of(operator, op, options):
    for dtype in ("int8", "float32"):
        for name, dims, axis in AXES:
            name = f"{dtype}_{name}"
            draw = Draw(f"{operator}/{name}")
            fields = options()
            fields.outputType = schema.TensorType.INT32
            shape = list(dims)
            del shape[axis]
            # Few different values, so that some are equal.
            values = values_of(draw, "int8", dims, -5, 5)
            values = values if dtype == "int8" else values.astype("float32") / 4
            yield Case(name, model(op, fields, [tensor_of(dtype, dims), constant("int32", [axis])], [Tensor("int32", tuple(shape))],
                                   version=2), [[values]])
        for name, dims, axes in AXES_AT:
            name = f"{dtype}_{name}"
            draw = Draw(f"{operator}/{name}")
            fields = options()
            fields.outputType = schema.TensorType.INT32
            shape = list(dims)
            del shape[axes[0]]
            values = values_of(draw, "int8", dims, -5, 5)
            values = values if dtype == "int8" else values.astype("float32") / 4
            records = [[values, np.array([axis], np.int32)] for axis in axes]
            yield Case(name, model(op, fields, [tensor_of(dtype, dims), Tensor("int32", (1,))], [Tensor("int32", tuple(shape))],
                                   version=2), records)


def cases():
    return cases_of("arg_max", "ARG_MAX", schema.ArgMaxOptionsT)
