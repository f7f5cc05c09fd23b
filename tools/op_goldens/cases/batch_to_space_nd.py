"""BATCH_TO_SPACE_ND with blocks and crops that are constants, or inputs."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import move, move_at

# Name, input, block, crops.
BLOCKS = [
    ("block2", (4, 2, 3, 2), [2, 2], [[0, 0], [0, 0]]),
    ("uneven_block", (6, 2, 2, 1), [3, 2], [[0, 0], [0, 0]]),
    ("cropped", (4, 3, 2, 2), [2, 2], [[1, 0], [0, 1]]),
    ("batches", (4, 2, 3, 3), [2, 1], [[0, 1], [1, 0]]),
    ("rank3", (2, 3, 3), [2], [[0, 1]]),
]


def cases():
    for dtype in ("int8", "float32"):
        for name, dims, block, crops in BLOCKS:
            if dtype == "int8" or name in ("cropped", "rank3"):
                sides = [size * b - sum(c) for size, b, c in zip(dims[1:], block, crops)]
                batches = dims[0]
                for b in block:
                    batches //= b
                yield move("batch_to_space_nd", "BATCH_TO_SPACE_ND", schema.BatchToSpaceNDOptionsT(), dtype, name, dims,
                           [block, crops], [[batches, *sides, dims[-1]]], version=2)
                if name in ("cropped", "rank3"):
                    yield move_at("batch_to_space_nd", "BATCH_TO_SPACE_ND", schema.BatchToSpaceNDOptionsT(), dtype,
                                  f"{name}_given", dims, [block, crops], [[batches, *sides, dims[-1]]], version=2)
