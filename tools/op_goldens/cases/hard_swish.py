"""HARD_SWISH."""

from ai_edge_litert import schema_py_generated as schema

from cases import unary

# Name, input, output.
PARAMETERS = [
    ("ordinary", (0.05, -4), (0.04, -100)),
    ("same", (0.06, 0), (0.06, 0)),
    ("coarse_input", (0.5, 3), (0.5, -7)),
    ("fine_input", (0.01, 0), (0.006, 10)),
    ("very_fine_input", (0.0004, 0), (0.0002, 1)),
    ("zero_point_highest", (0.03, 127), (0.004, 127)),
    ("zero_point_lowest", (0.06, -128), (0.06, -128)),
    ("coarse_output", (0.05, 5), (0.9, 0)),
]


def cases():
    fields = schema.HardSwishOptionsT()
    yield from unary.of_floats("hard_swish", "HARD_SWISH", fields, -5.0, 5.0, (0.0, -3.0, 3.0, -10.0, 10.0))
    for name, source, target in PARAMETERS:
        yield unary.of_int8("HARD_SWISH", fields, name, source, target)
