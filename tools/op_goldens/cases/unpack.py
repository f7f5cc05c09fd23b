"""UNPACK along each dimension."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

# Name, input, axis.
AXES = [
    ("rank1", (3,), 0),
    ("rows", (3, 4), 0),
    ("columns", (3, 4), 1),
    ("last_axis", (2, 3, 2), -1),
    ("middle_axis", (2, 3, 4), 1),
    ("one_output", (1, 4), 0),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, axis in AXES:
            if dtype == "int8" or name in ("columns", "middle_axis"):
                fields = schema.UnpackOptionsT()
                fields.axis, fields.num = axis, dims[axis]
                shape = list(dims)
                del shape[axis]
                yield move("unpack", "UNPACK", fields, dtype, name, dims, [], [shape] * dims[axis], version=2)
