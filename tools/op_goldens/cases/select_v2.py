"""SELECT_V2, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import model

import numpy as np

# Name, condition, where true, where false.
SHAPES = [
    ("same", (2, 3, 4), (2, 3, 4), (2, 3, 4)),
    ("rows", (2, 1), (2, 5), (2, 5)),
    ("one_value", (2, 3, 2), (1,), (2, 3, 2)),
    ("all_differ", (1, 3, 1), (2, 1, 4), (1, 3, 4)),
    ("one_condition", (1,), (3, 4), (3, 4)),
]


def cases():
    for dtype in ("int8", "int16", "int32", "float32"):
        for name, *shapes in SHAPES:
            if dtype == "int8" or name in ("same", "all_differ"):
                name = f"{dtype}_{name}"
                draw = Draw(f"select_v2/{name}")
                inputs = [tensor_of("bool", shapes[0]), tensor_of(dtype, shapes[1]), tensor_of(dtype, shapes[2])]
                records = [[values_of(draw, tensor.dtype, tensor.shape) for tensor in inputs]]
                yield Case(name, model("SELECT_V2", schema.SelectV2OptionsT(), inputs,
                                       [tensor_of(dtype, np.broadcast_shapes(*shapes))]), records)
