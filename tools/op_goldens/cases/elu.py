"""ELU."""

from cases import unary

# Name, input, output.
PARAMETERS = [
    ("ordinary", (0.05, -4), (0.05, -100)),
    ("finer_output", (0.03, 10), (0.01, 0)),
    ("coarser_output", (0.02, 0), (0.1, 3)),
    ("zero_point_highest", (0.04, 127), (0.01, 0)),
    ("zero_point_lowest", (0.04, -128), (0.05, -128)),
]


def cases():
    yield from unary.of_floats("elu", "ELU", None, -6.0, 6.0, (0.0, -0.0, -1.0e-4, -30.0, 30.0, -0.3))
    for name, source, target in PARAMETERS:
        yield unary.of_int8("ELU", None, name, source, target)
