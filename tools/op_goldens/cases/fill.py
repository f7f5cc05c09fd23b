"""FILL of a constant shape with a value."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model

import numpy as np


def cases():
    for dtype in ("int8", "int16", "float32", "int32", "int64"):
        for name, dims in (("rank1", [4]), ("rank2", [3, 2]), ("rank3", [2, 1, 3])):
            if dtype in ("int16", "int64") and name != "rank2":
                continue
            name = f"{dtype}_{name}"
            x = tensor_of(dtype, ())
            value = values_of(Draw(f"fill/{name}"), dtype, (1,)).reshape(())
            yield Case(name, model("FILL", schema.FillOptionsT(), [constant("int32", dims), x], [tensor_of(dtype, dims)]),
                       [[value]])
