"""SPACE_TO_DEPTH."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import move

# Name, input, block.
BLOCKS = [
    ("block2", (1, 4, 6, 2), 2),
    ("block3", (1, 6, 3, 1), 3),
    ("one_channel", (1, 2, 4, 1), 2),
    ("batches", (2, 2, 4, 3), 2),
    ("block1", (1, 2, 2, 3), 1),
]


def cases():
    for dtype in ("int8", "float32"):
        for name, (n, h, w, c), block in BLOCKS:
            if dtype == "int8" or name == "block2":
                fields = schema.SpaceToDepthOptionsT()
                fields.blockSize = block
                yield move("space_to_depth", "SPACE_TO_DEPTH", fields, dtype, name, (n, h, w, c), [],
                           [[n, h // block, w // block, c * block**2]], version=2)
