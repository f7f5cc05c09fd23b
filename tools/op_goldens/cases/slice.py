"""SLICE with constant begin and size."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

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
