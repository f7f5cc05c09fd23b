"""SPACE_TO_BATCH_ND with blocks and paddings that are constants, or inputs."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import move, move_at

# Name, input, block, paddings.
BLOCKS = [
    ("block2", (1, 4, 6, 2), [2, 2], [[0, 0], [0, 0]]),
    ("uneven_block", (1, 6, 4, 1), [3, 2], [[0, 0], [0, 0]]),
    ("padded", (1, 3, 5, 2), [2, 2], [[1, 0], [2, 1]]),
    ("batches", (2, 4, 2, 3), [2, 1], [[0, 0], [1, 0]]),
    ("rank3", (1, 5, 3), [2], [[0, 1]]),
]


def cases():
    for dtype in ("int8", "float32"):
        for name, dims, block, paddings in BLOCKS:
            if dtype == "int8" or name in ("padded", "rank3"):
                sides = [(size + sum(p)) // b for size, b, p in zip(dims[1:], block, paddings)]
                batches = dims[0]
                for b in block:
                    batches *= b
                yield move("space_to_batch_nd", "SPACE_TO_BATCH_ND", schema.SpaceToBatchNDOptionsT(), dtype, name, dims,
                           [block, paddings], [[batches, *sides, dims[-1]]], version=2)
                if name in ("padded", "rank3"):
                    yield move_at("space_to_batch_nd", "SPACE_TO_BATCH_ND", schema.SpaceToBatchNDOptionsT(), dtype,
                                  f"{name}_given", dims, [block, paddings], [[batches, *sides, dims[-1]]], version=2)
