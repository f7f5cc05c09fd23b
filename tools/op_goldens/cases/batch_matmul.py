"""BATCH_MATMUL, with and without transposed sides and broadcast batches."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import model

import numpy as np

# Name, left, right, whether each is transposed.
PRODUCTS = [
    ("rank2", (3, 4), (4, 5), False, False),
    ("rank3", (2, 3, 4), (2, 4, 2), False, False),
    ("transposed_left", (2, 4, 3), (2, 4, 2), True, False),
    ("transposed_right", (2, 3, 4), (2, 2, 4), False, True),
    ("both_transposed", (1, 4, 3), (1, 2, 4), True, True),
    ("rank4", (2, 1, 3, 4), (2, 1, 4, 2), False, False),
    ("repeated_left", (1, 3, 4), (3, 4, 2), False, False),
    ("repeated_right", (2, 2, 3, 4), (4, 2), False, False),
]
VERSIONS = {"int8": 2, "int16": 3}


def product(dtype, name, left, right, adj_x, adj_y, scales=((0.05, 4), (0.03, -7), (0.06, 9))):
    name = f"{dtype}_{name}"
    draw = Draw(f"batch_matmul/{name}")
    fields = schema.BatchMatMulOptionsT()
    fields.adjX, fields.adjY = adj_x, adj_y
    rows, columns = left[-1 if adj_x else -2], right[-2 if adj_y else -1]
    shape = (*np.broadcast_shapes(left[:-2], right[:-2]), rows, columns)
    if dtype == "int16":
        scales = ((0.0005, 0), (0.0003, 0), (0.004, 0))
    inputs = [tensor_of(dtype, left, *scales[0]), tensor_of(dtype, right, *scales[1])]
    records = [[values_of(draw, dtype, left), values_of(draw, dtype, right)]]
    return Case(name, model("BATCH_MATMUL", fields, inputs, [tensor_of(dtype, shape, *scales[2])],
                            version=VERSIONS.get(dtype, 1)), records)


def cases():
    for dtype in ("int8", "int16", "float32"):
        for row in PRODUCTS:
            if dtype == "int8" or row[0] in ("rank3", "both_transposed", "rank4"):
                yield product(dtype, *row)
    for name, scales in (("zero_points_lowest", ((0.05, -128), (0.03, -128), (0.9, -128))),
                         ("zero_points_highest", ((0.05, 127), (0.03, 127), (0.9, -120))),
                         ("multiplier_above_one", ((1.3, 0), (1.1, 1), (0.9, 0)))):
        yield product("int8", name, (2, 3, 4), (2, 4, 2), False, False, scales)
