"""MIRROR_PAD by paddings, constant or not, in both modes."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import move, move_at
from cases.pad import shape_of
from single_op import constant

MODES = {"reflect": schema.MirrorPadMode.REFLECT, "symmetric": schema.MirrorPadMode.SYMMETRIC}
# Name, input, paddings.
PADDINGS = [
    ("rank1", (5,), [[2, 3]]),
    ("rank2", (3, 4), [[1, 2], [0, 3]]),
    ("rank3", (2, 3, 3), [[1, 0], [2, 2], [1, 1]]),
    ("image", (1, 4, 3, 2), [[0, 0], [1, 2], [2, 1], [0, 0]]),
    ("rank6", (1, 2, 3, 1, 2, 2), [[0, 0], [1, 0], [1, 2], [0, 0], [0, 1], [1, 1]]),
]


def cases():
    for mode, code in MODES.items():
        fields = schema.MirrorPadOptionsT()
        fields.mode = code
        for dtype in ("int8", "float32"):
            for name, dims, paddings in PADDINGS:
                if dtype == "int8" or name in ("rank2", "image"):
                    yield move("mirror_pad", "MIRROR_PAD", fields, dtype, f"{mode}_{name}", dims, [paddings],
                               [shape_of(dims, paddings)], version=2)
                if name in ("rank2", "image"):
                    for numbers in ("int32", "int64"):
                        yield move_at("mirror_pad", "MIRROR_PAD", fields, dtype, f"{mode}_{name}_given_{numbers}", dims,
                                      [paddings], [shape_of(dims, paddings)], numbers=numbers, version=2)
        yield move("mirror_pad", "MIRROR_PAD", fields, "int8", f"{mode}_constant_int64", (3, 4),
                   [constant("int64", [[1, 2], [0, 3]])], [(6, 7)], version=2)
