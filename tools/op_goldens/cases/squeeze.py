"""SQUEEZE of dimensions of 1."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

# Name, input, squeezed, output.
SHAPES = [
    ("first", (1, 4, 3), [0], [4, 3]),
    ("last", (2, 3, 1), [-1], [2, 3]),
    ("two", (1, 3, 1, 2), [0, 2], [3, 2]),
    ("all", (1, 5, 1, 1), [], [5]),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, squeezed, shape in SHAPES:
            if dtype == "int8" or name == "two":
                fields = schema.SqueezeOptionsT()
                fields.squeezeDims = squeezed
                yield move("squeeze", "SQUEEZE", fields, dtype, name, dims, [], [shape])
