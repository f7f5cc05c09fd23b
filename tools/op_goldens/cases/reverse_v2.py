"""REVERSE_V2 along axes, constant or not."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move, move_at

# Name, input, axes.
AXES = [
    ("rank1", (5,), [0]),
    ("rank2_rows", (3, 5), [0]),
    ("rank2_columns", (3, 5), [1]),
    ("rank3_middle", (2, 3, 4), [1]),
    ("rank4_last", (1, 3, 2, 4), [3]),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, axes in AXES:
            if dtype == "int8" or name in ("rank2_columns", "rank3_middle"):
                yield move("reverse_v2", "REVERSE_V2", schema.ReverseV2OptionsT(), dtype, name, dims, [axes], [dims])
    for dtype in ("bool", "uint8", "int64"):
        yield move("reverse_v2", "REVERSE_V2", schema.ReverseV2OptionsT(), dtype, "rank2", (3, 5), [[1]], [(3, 5)])
    for dtype in ("int8", "float32", "int64"):
        for name, dims, axes in (("axis_given", (2, 3, 2), [1]), ("axes_given", (3, 2, 2), [-1, 1])):
            yield move_at("reverse_v2", "REVERSE_V2", schema.ReverseV2OptionsT(), dtype, name, dims, [axes], [dims])
