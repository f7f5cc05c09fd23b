"""PAD by constant paddings."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move

# Name, input, paddings.
PADDINGS = [
    ("rank1", (4,), [[2, 1]]),
    ("rank2", (2, 3), [[1, 0], [0, 2]]),
    ("rank3", (2, 3, 2), [[0, 1], [1, 1], [2, 0]]),
    ("image", (1, 3, 4, 2), [[0, 0], [1, 2], [0, 1], [0, 0]]),
    ("channels", (1, 2, 2, 3), [[0, 0], [0, 0], [0, 0], [1, 2]]),
    ("nothing", (2, 3), [[0, 0], [0, 0]]),
    ("rank5", (1, 2, 1, 2, 2), [[1, 0], [0, 1], [1, 1], [0, 0], [0, 1]]),
]


def shape_of(dims, paddings):
    return [size + before + behind for size, (before, behind) in zip(dims, paddings)]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, paddings in PADDINGS:
            if dtype == "int8" or name in ("rank3", "image"):
                yield move("pad", "PAD", schema.PadOptionsT(), dtype, name, dims, [paddings], [shape_of(dims, paddings)],
                           version=2)
    yield move("pad", "PAD", schema.PadOptionsT(), "int8", "zero_point_lowest", (2, 3), [[[1, 1], [1, 0]]], [[4, 4]],
               zero_point=-128, version=2)
