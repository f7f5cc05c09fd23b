"""DIV, with and without broadcasting. Divisors are never zero."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import pair, shapes_for
from cases.weighted import ACTIVATIONS


def fields(activation="NONE"):
    options = schema.DivOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[activation]
    return options


DIVISORS = {
    "int8": {"right_low": 14, "right_high": 127},
    "float32": {"right_low": 0.5, "right_high": 6.0},
    "int32": {"right_low": 1, "right_high": 300},
}

# Name, left, right, output; and the divisors. The left scale is at least 64 times the others' product: with less, both
# engines shift by 32 bits and more, which C++ does not define.
QUOTIENTS = [
    ("negative_divisors", (0.05, -4), (0.031, 120), (0.02, 3), (-128, 119)),
    ("fine_output", (0.05, 0), (0.2, -128), (0.002, 0), (-120, 127)),
    ("saturates", (0.05, -4), (0.031, 12), (0.011, 3), (13, 15)),
    ("zero_points_low", (0.43, -128), (0.07, -128), (0.08, -128), (-127, 127)),
    ("coarse_output", (8.0, 5), (0.02, -5), (5.0, 1), (-4, 127)),
    ("large_quotients", (90.0, 5), (0.02, -5), (5.0, 1), (40, 127)),
]


def cases():
    for dtype in ("int8", "float32", "int32"):
        low, high = (-(10**6), 10**6) if dtype == "int32" else (None, None)
        for name, left, right in shapes_for(dtype == "int8"):
            yield pair("div", "DIV", fields(), dtype, name, left, right, low=low, high=high,
                       scales=((0.05, -4), (0.031, 12), (0.02, 3)), version=2 if dtype == "int8" else 1, **DIVISORS[dtype])
        for activation in ("RELU", "RELU6"):
            yield pair("div", "DIV", fields(activation), dtype, f"activation_{activation.lower()}", (2, 3, 3), (3,),
                       scales=((0.05, 0), (0.03, 0), (0.02, 0)), low=low and -900, high=high and 900,
                       version=2 if dtype == "int8" else 1, **DIVISORS[dtype])
    for name, left, right, out, (low, high) in QUOTIENTS:
        yield pair("div", "DIV", fields(), "int8", name, (1, 60), (1, 60), scales=(left, right, out), version=2,
                   right_low=low, right_high=high)
