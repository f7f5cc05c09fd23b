"""CEIL of float32."""

from cases import unary


def cases():
    return unary.of_floats("ceil", "CEIL", None, -9.0, 9.0, (0.0, -0.5, 0.5, 1.0, -1.0, 8388607.5, 1.0e10, -8388607.5))
