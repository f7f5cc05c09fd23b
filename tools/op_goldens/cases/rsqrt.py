"""RSQRT: quantized inputs are not below their zero point."""

from cases import unary

# Name, input, output.
PARAMETERS = [
    ("ordinary", (0.05, -100), (0.02, -128)),
    ("zero_point_lowest", (0.1, -128), (0.03, -128)),
    ("zero_point_middle", (0.3, 0), (0.01, -128)),
    ("saturates", (0.001, -128), (0.05, -10)),
    ("coarse", (2.0, -128), (0.1, -3)),
]


def cases():
    yield from unary.of_floats("rsqrt", "RSQRT", None, 0.01, 50.0, (1.0, 4.0, 1.0e-30, 1.0e30, 0.25))
    for name, source, target in PARAMETERS:
        yield unary.of_int8("RSQRT", None, name, source, target, lowest=source[1], version=2)
    for name, source, target in (("ordinary", 0.001, 0.0002), ("coarse", 0.3, 0.0004), ("saturates", 1.0e-4, 0.001)):
        yield unary.of_int16("rsqrt", "RSQRT", None, name, source, target, lowest=0)
