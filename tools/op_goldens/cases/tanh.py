"""TANH."""

from cases import unary
from cases.logistic import PARAMETERS, SCALES_INT16


def cases():
    yield from unary.of_floats("tanh", "TANH", None, -4.0, 4.0, (0.0, 20.0, -20.0, 1.0e-4, -1.0e-6, 0.2))
    for name, source in PARAMETERS:
        yield unary.of_int8("TANH", None, name, source, (1 / 128, 0), version=2)
    for name, source in SCALES_INT16:
        yield unary.of_int16("tanh", "TANH", None, name, source, 1 / 32768, version=3)
