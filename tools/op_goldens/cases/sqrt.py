"""SQRT of float32."""

from cases import unary


def cases():
    return unary.of_floats("sqrt", "SQRT", None, 0.0, 90.0, (0.0, 1.0, 2.0, 1.0e-40, 1.0e30, 4.0, 0.25))
