"""DYNAMIC_UPDATE_SLICE: start indices beyond the border are clamped."""

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, model

import numpy as np

# Name, operand, update, start.
SLICES = [
    ("rank1", (7,), (3,), [2]),
    ("rank2", (4, 5), (2, 3), [1, 1]),
    ("beyond", (4, 5), (2, 3), [3, 9]),
    ("before", (4, 5), (2, 3), [-2, -1]),
    ("rank4", (1, 3, 4, 2), (1, 2, 2, 1), [0, 1, 2, 1]),
    ("whole", (2, 3), (2, 3), [1, 1]),
]


def cases():
    for dtype in ("int8", "int16", "int32", "float32"):
        for index_type in ("int32", "int64"):
            for name, dims, part, start in SLICES:
                if (dtype, index_type) == ("int8", "int32") or name in ("rank2", "beyond") and (
                        index_type == "int32" or dtype == "int8"):
                    name = f"{dtype}_at_{index_type}_{name}"
                    draw = Draw(f"dynamic_update_slice/{name}")
                    inputs = [tensor_of(dtype, dims), tensor_of(dtype, part), Tensor(index_type, (len(start),))]
                    record = [values_of(draw, dtype, dims), values_of(draw, dtype, part), np.array(start, index_type)]
                    yield Case(name, model("DYNAMIC_UPDATE_SLICE", None, inputs, [tensor_of(dtype, dims)]), [record])
