"""PRELU: the slopes are broadcast over the input."""

from cases.binary import edges, pair

# Name, input, slopes.
SHAPES = [
    ("channels", (1, 3, 4, 2), (1, 1, 2)),
    ("every_element", (1, 3, 4, 2), (3, 4, 2)),
    ("one_slope", (2, 5), (1,)),
    ("rows", (1, 3, 4, 2), (3, 1, 1)),
]


def cases():
    for dtype in ("int8", "int16", "float32"):
        right = {"right_dtype": "int8", "right_low": -128, "right_high": 127} if dtype == "int16" else {}
        for name, left, slopes in SHAPES:
            yield pair("prelu", "PRELU", None, dtype, name, left, slopes, scales=((0.05, -4), (0.01, 12), (0.06, 3)), **right)
        if dtype != "float32":
            yield from edges("prelu", "PRELU", None, dtype, output_scale=lambda left, right: left * max(1.0, right * 200), **right)
