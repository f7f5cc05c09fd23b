"""EMBEDDING_LOOKUP of rows of a constant table."""

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model

import numpy as np


def cases():
    for dtype in ("int8", "float32"):
        for name, dims, count in (("rank2", (5, 3), 4), ("rank3", (4, 2, 3), 2), ("one", (6, 4), 1)):
            name = f"{dtype}_{name}"
            draw = Draw(f"embedding_lookup/{name}")
            like = tensor_of(dtype, dims)
            table = constant(dtype, values_of(draw, dtype, dims), scales=like.scales, zero_points=like.zero_points)
            yield Case(name, model("EMBEDDING_LOOKUP", None, [Tensor("int32", (count,)), table],
                                   [tensor_of(dtype, (count, *dims[1:]))]),
                       [[draw.integers((count,), 0, dims[0] - 1, np.int32)]])
    for name, dims, count in (("rank2", (5, 3), 4), ("rank3", (4, 2, 3), 2)):
        name = f"int8_to_float32_{name}"
        draw = Draw(f"embedding_lookup/{name}")
        table = constant("int8", values_of(draw, "int8", dims), scales=[0.037], zero_points=[0])
        yield Case(name, model("EMBEDDING_LOOKUP", None, [Tensor("int32", (count,)), table],
                               [Tensor("float32", (count, *dims[1:]))]),
                   [[draw.integers((count,), 0, dims[0] - 1, np.int32)]])
