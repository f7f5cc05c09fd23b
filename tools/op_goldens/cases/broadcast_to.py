"""BROADCAST_TO a constant shape."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

# Name, input, output.
SHAPES = [
    ("one_element", (1,), [3, 4]),
    ("row", (4,), [3, 4]),
    ("column", (3, 1), [3, 4]),
    ("middle", (2, 1, 3), [2, 4, 3]),
    ("rank4", (1, 3, 1, 2), [2, 3, 4, 2]),
    ("same", (2, 3), [2, 3]),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, shape in SHAPES:
            if dtype == "int8" or name in ("column", "rank4"):
                yield move("broadcast_to", "BROADCAST_TO", schema.BroadcastToOptionsT(), dtype, name, dims, [shape], [shape],
                           version=3)
