"""ABS: integers may have another scale afterwards."""

from ai_edge_litert import schema_py_generated as schema

from cases import unary

# Name, input, output.
PARAMETERS = [
    ("same", (0.05, -4), (0.05, -4)),
    ("other_zero_point", (0.05, 10), (0.05, -128)),
    ("finer_saturates", (0.05, 3), (0.01, 0)),
    ("coarser_ties", (0.25, 0), (0.5, 0)),
    ("input_lowest", (0.03, -128), (0.04, -128)),
    ("input_highest", (0.03, 127), (0.07, -100)),
]


def cases():
    fields = schema.AbsOptionsT()
    yield from unary.of_floats("abs", "ABS", fields, -9.0, 9.0, (-0.0, 0.0, -1.0e30, 5.0))
    for name, source, target in PARAMETERS:
        yield unary.of_int8("ABS", fields, name, source, target, version=2)
    for name, source, target in (("same", 0.01, 0.01), ("finer_saturates", 0.01, 0.004), ("coarser", 0.01, 0.03)):
        yield unary.of_int16("abs", "ABS", fields, name, source, target, version=5)
