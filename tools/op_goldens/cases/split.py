"""SPLIT into equal parts along a constant axis."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

# Name, input, axis, parts.
PARTS = [
    ("rank1", (6,), 0, 3),
    ("rows", (4, 3), 0, 2),
    ("columns", (2, 6), 1, 3),
    ("last_axis", (1, 2, 3, 4), -1, 2),
    ("middle_axis", (2, 4, 3), 1, 4),
    ("one_part", (2, 3), 1, 1),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, axis, parts in PARTS:
            if dtype == "int8" or name in ("columns", "last_axis"):
                fields = schema.SplitOptionsT()
                fields.numSplits = parts
                shape = list(dims)
                shape[axis] //= parts
                yield move("split", "SPLIT", fields, dtype, name, dims, [axis], [shape] * parts, first=True, version=2)
