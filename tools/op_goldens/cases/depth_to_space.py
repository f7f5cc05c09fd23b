"""DEPTH_TO_SPACE."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import move

# Name, input, block.
BLOCKS = [
    ("block2", (1, 2, 3, 8), 2),
    ("block3", (1, 2, 1, 9), 3),
    ("one_channel", (1, 3, 2, 4), 2),
    ("batches", (2, 1, 2, 12), 2),
    ("block1", (1, 2, 2, 3), 1),
]


def cases():
    for dtype in ("int8", "float32"):
        for name, (n, h, w, c), block in BLOCKS:
            if dtype == "int8" or name == "block2":
                fields = schema.DepthToSpaceOptionsT()
                fields.blockSize = block
                yield move("depth_to_space", "DEPTH_TO_SPACE", fields, dtype, name, (n, h, w, c), [],
                           [[n, h * block, w * block, c // block**2]], version=2)
