"""LEAKY_RELU with positive and negative slopes."""

from ai_edge_litert import schema_py_generated as schema

from cases import unary

# Name, slope, input, output.
PARAMETERS = [
    ("ordinary", 0.2, (0.05, -4), (0.04, -20)),
    ("same", 0.1, (0.06, 0), (0.06, 0)),
    ("negative_slope", -0.5, (0.05, 10), (0.03, -100)),
    ("slope_above_one", 1.5, (0.03, 0), (0.05, 3)),
    ("finer_saturates", 0.01, (0.05, 10), (0.01, 0)),
    ("coarser_ties", 0.5, (0.25, 0), (0.5, 0)),
    ("zero_point_highest", 0.3, (0.03, 127), (0.01, 100)),
    ("zero_point_lowest", 0.3, (0.06, -128), (0.06, -128)),
]


def fields(alpha):
    options = schema.LeakyReluOptionsT()
    options.alpha = alpha
    return options


def cases():
    yield from unary.of_floats("leaky_relu", "LEAKY_RELU", fields(0.2), -5.0, 5.0, (0.0, -0.0, -1.0e30, 1.0e30))
    for name, alpha, source, target in PARAMETERS:
        yield unary.of_int8("LEAKY_RELU", fields(alpha), name, source, target, version=2)
    for name, alpha, source, target in (("ordinary", 0.2, 0.001, 0.0007), ("negative_slope", -0.3, 0.001, 0.0005)):
        yield unary.of_int16("leaky_relu", "LEAKY_RELU", fields(alpha), name, source, target, version=2)
