"""SLICE with begin and size that are constants, or come as inputs, of int32 or int64."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from cases.moves import OTHER_TYPES, move
from single_op import Tensor, constant, model

import numpy as np

# Name, input, begin, size.
SLICES = [
    ("rank1", (9,), [2], [4]),
    ("rank1_rest", (9,), [3], [-1]),
    ("rank2", (4, 5), [1, 2], [2, 3]),
    ("rank3", (2, 3, 4), [0, 1, 1], [2, 2, -1]),
    ("rank4", (1, 4, 3, 2), [0, 1, 0, 1], [1, 2, 3, 1]),
    ("rank5", (2, 2, 3, 2, 2), [1, 0, 1, 0, 1], [1, 2, 2, 2, 1]),
    ("whole", (3, 4), [0, 0], [3, 4]),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, begin, size in SLICES:
            if dtype == "int8" or name in ("rank2", "rank4"):
                shape = [whole - b if s < 0 else s for whole, b, s in zip(dims, begin, size)]
                yield move("slice", "SLICE", schema.SliceOptionsT(), dtype, name, dims, [begin, size], [shape], version=2)
    yield move("slice", "SLICE", schema.SliceOptionsT(), "bool", "rank2", (4, 5), [[1, 2], [2, 3]], [(2, 3)], version=2)
    for numbers in ("int32", "int64"):
        for dtype, name, dims, begins, size in [
            ("int8", "rank2", (4, 5), ([1, 2], [0, 0], [2, 1]), [2, 3]),
            ("float32", "rank4", (1, 4, 3, 2), ([0, 1, 0, 1], [0, 2, 2, 0]), [1, 2, 1, 1]),
            ("int16", "rank1", (9,), ([0], [5]), [4]),
        ]:
            draw = Draw(f"slice/{dtype}_at_{numbers}_{name}")
            rank = (len(dims),)
            inputs = [tensor_of(dtype, dims), Tensor(numbers, rank), Tensor(numbers, rank)]
            records = [[values_of(draw, dtype, dims), np.array(begin, numbers), np.array(size, numbers)] for begin in begins]
            file = model("SLICE", schema.SliceOptionsT(), inputs, [tensor_of(dtype, size)], version=2)
            yield Case(f"{dtype}_at_{numbers}_{name}", file, records)
    draw = Draw("slice/int8_constants_of_int64")
    inputs = [tensor_of("int8", (4, 5)), constant("int64", [1, 2]), constant("int64", [2, -1])]
    yield Case("int8_constants_of_int64", model("SLICE", schema.SliceOptionsT(), inputs, [tensor_of("int8", (2, 3))], version=2),
               [[values_of(draw, "int8", (4, 5))]])
