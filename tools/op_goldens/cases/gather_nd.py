"""GATHER_ND by indices of one to all dimensions."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, model

import numpy as np

# Name, input, indices.
GATHERS = [
    ("elements", (4, 3), (5, 2)),
    ("rows", (4, 3), (3, 1)),
    ("rank3_elements", (2, 3, 4), (4, 3)),
    ("rank3_rows", (2, 3, 4), (2, 2)),
    ("table_of_indices", (3, 4), (2, 2, 2)),
    ("vector", (6,), (4, 1)),
]


def cases():
    for dtype in ("int8", "float32"):
        for name, dims, counts in GATHERS:
            if dtype == "int8" or name in ("elements", "rank3_rows"):
                name = f"{dtype}_{name}"
                draw = Draw(f"gather_nd/{name}")
                parts = [draw.integers(counts[:-1], 0, dims[i] - 1, np.int32) for i in range(counts[-1])]
                shape = (*counts[:-1], *dims[counts[-1]:])
                yield Case(name, model("GATHER_ND", schema.GatherNdOptionsT(), [tensor_of(dtype, dims), Tensor("int32", counts)],
                                       [tensor_of(dtype, shape)]),
                           [[values_of(draw, dtype, dims), np.stack(parts, -1)]])
