"""What the resizes share: sizes and which positions correspond."""

from case import Case, Draw, tensor_of, values_of
from single_op import constant, model

# Name, input, output height and width.
SIZES = [
    ("twice", (1, 3, 4, 2), (6, 8)),
    ("smaller", (1, 6, 5, 2), (3, 2)),
    ("uneven", (1, 3, 5, 1), (7, 4)),
    ("batches", (2, 2, 3, 3), (4, 3)),
    ("one_pixel", (1, 1, 1, 3), (2, 3)),
    ("to_one_pixel", (1, 4, 3, 2), (1, 1)),
    ("same", (1, 3, 3, 2), (3, 3)),
]
# Name, align corners, half-pixel centres.
MODES = [("plain", False, False), ("corners", True, False), ("half_pixel", False, True)]


def cases_of(operator, op, options, types, modes=MODES):
    for dtype in types:
        for mode, corners, half in modes:
            for name, dims, size in SIZES:
                if dtype == types[0] or name in ("twice", "uneven"):
                    name = f"{dtype}_{mode}_{name}"
                    draw = Draw(f"{operator}/{name}")
                    fields = options()
                    fields.alignCorners, fields.halfPixelCenters = corners, half
                    shape = (dims[0], *size, dims[3])
                    yield Case(name, model(op, fields, [tensor_of(dtype, dims), constant("int32", size)],
                                           [tensor_of(dtype, shape)], version=3), [[values_of(draw, dtype, dims)]])
