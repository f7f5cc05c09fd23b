"""TRANSPOSE by a constant permutation."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

# Name, input, permutation.
PERMUTATIONS = [
    ("rank1", (5,), [0]),
    ("rank2", (3, 5), [1, 0]),
    ("rank3", (2, 3, 4), [2, 0, 1]),
    ("rank3_last_two", (2, 3, 4), [0, 2, 1]),
    ("rank4_to_channels_first", (1, 3, 4, 2), [0, 3, 1, 2]),
    ("rank4_reversed", (2, 3, 4, 2), [3, 2, 1, 0]),
    ("rank4_identity", (2, 3, 1, 2), [0, 1, 2, 3]),
    ("rank5", (2, 1, 3, 2, 2), [4, 2, 0, 1, 3]),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, permutation in PERMUTATIONS:
            if dtype == "int8" or name in ("rank3", "rank4_to_channels_first"):
                yield move("transpose", "TRANSPOSE", schema.TransposeOptionsT(), dtype, name, dims, [permutation],
                           [[dims[i] for i in permutation]], version=2)
