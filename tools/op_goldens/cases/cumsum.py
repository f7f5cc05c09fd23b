"""CUMSUM along an axis, constant or not, in all four orders."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model

import numpy as np

# Name, input, axis, exclusive, reverse.
SUMS = [
    ("rank1", (8,), 0, False, False),
    ("rows", (4, 3), 0, False, False),
    ("columns", (3, 4), 1, True, False),
    ("reverse", (2, 3, 4), 1, False, True),
    ("exclusive_reverse", (2, 3, 2), -1, True, True),
]


def cases():
    for dtype in ("int8", "float32"):
        for name, dims, axis, exclusive, reverse in SUMS:
            name = f"{dtype}_{name}"
            draw = Draw(f"cumsum/{name}")
            fields = schema.CumsumOptionsT()
            fields.exclusive, fields.reverse = exclusive, reverse
            x, y = tensor_of(dtype, dims, 0.1, 3), tensor_of(dtype, dims, 0.23, -5)
            yield Case(name, model("CUMSUM", fields, [x, constant("int32", [axis])], [y]), [[values_of(draw, dtype, dims)]])
        name = f"{dtype}_axis_given"
        draw = Draw(f"cumsum/{name}")
        fields = schema.CumsumOptionsT()
        fields.exclusive, fields.reverse = False, True
        dims = (2, 3, 2)
        x, y = tensor_of(dtype, dims, 0.1, 3), tensor_of(dtype, dims, 0.23, -5)
        records = [[values_of(draw, dtype, dims), np.array([axis], np.int32)] for axis in (0, 1, -1)]
        yield Case(name, model("CUMSUM", fields, [x, Tensor("int32", (1,))], [y]), records)
    draw = Draw("cumsum/scales")
    x, y = tensor_of("int8", (3, 9), 0.05, -128), tensor_of("int8", (3, 9), 0.3, -128)
    yield Case("int8_zero_points_lowest", model("CUMSUM", schema.CumsumOptionsT(), [x, constant("int32", [1])], [y]),
               [[values_of(draw, "int8", (3, 9))]])
