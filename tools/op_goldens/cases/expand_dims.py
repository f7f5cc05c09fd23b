"""EXPAND_DIMS at a constant axis."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

# Name, input, axis.
AXES = [("first", (4, 3), 0), ("last", (2, 3), -1), ("middle", (2, 3), 1), ("vector", (5,), 1), ("rank3", (2, 1, 3), 2)]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, axis in AXES:
            if dtype == "int8" or name == "middle":
                shape = list(dims)
                shape.insert(axis if axis >= 0 else len(dims) + 1 + axis, 1)
                yield move("expand_dims", "EXPAND_DIMS", schema.ExpandDimsOptionsT(), dtype, name, dims, [[axis]], [shape])
