"""SPLIT_V into parts along a constant axis, of sizes that are constants, or inputs."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move, move_at

# Name, input, axis, sizes.
PARTS = [
    ("rank1", (6,), 0, [1, 3, 2]),
    ("rows", (4, 3), 0, [3, 1]),
    ("columns", (2, 6), 1, [1, 2, 3]),
    ("rest", (2, 6), 1, [2, -1]),
    ("last_axis", (1, 2, 3, 4), -1, [3, 1]),
    ("middle_axis", (2, 4, 3), 1, [1, 3]),
]


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, axis, sizes in PARTS:
            if dtype == "int8" or name in ("columns", "last_axis"):
                fields = schema.SplitVOptionsT()
                fields.numSplits = len(sizes)
                shapes = []
                for size in sizes:
                    shape = list(dims)
                    shape[axis] = size if size >= 0 else dims[axis] - sum(s for s in sizes if s >= 0)
                    shapes.append(shape)
                yield move("split_v", "SPLIT_V", fields, dtype, name, dims, [sizes, axis], shapes, version=2)
                if name in ("columns", "middle_axis"):
                    for numbers in ("int32", "int64"):
                        yield move_at("split_v", "SPLIT_V", fields, dtype, f"{name}_given_{numbers}", dims, [sizes], shapes,
                                      numbers=numbers, last=[axis], version=2)
