"""GATHER along an axis, with and without batches."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model

# Name, input, indices, axis, batch dimensions.
GATHERS = [
    ("rank1", (7,), (4,), 0, 0),
    ("rows", (5, 3), (3,), 0, 0),
    ("columns", (3, 5), (4,), 1, 0),
    ("last_axis", (2, 3, 4), (2,), -1, 0),
    ("matrix_of_indices", (4, 3), (2, 3), 0, 0),
    ("batches", (2, 4, 3), (2, 3), 1, 1),
    ("batches_behind", (2, 2, 4), (2, 3), 2, 1),
    ("batches_from_the_end", (2, 4, 3), (2, 3), 1, -1),
]


def cases():
    for dtype in ("int8", "float32"):
        for name, dims, counts, axis, batch_dims in GATHERS:
            if dtype == "int8" or name in ("columns", "batches"):
                name = f"{dtype}_{name}"
                draw = Draw(f"gather/{name}")
                fields = schema.GatherOptionsT()
                fields.axis, fields.batchDims = axis, batch_dims
                at = axis if axis >= 0 else axis + len(dims)
                indices = draw.integers(counts, 0, dims[at] - 1, "int32")
                shape = (*dims[:at], *counts[batch_dims % len(counts):], *dims[at + 1:])
                yield Case(name, model("GATHER", fields, [tensor_of(dtype, dims), Tensor("int32", counts)],
                                       [tensor_of(dtype, shape)], version=5 if batch_dims else 2),
                           [[values_of(draw, dtype, dims), indices]])
