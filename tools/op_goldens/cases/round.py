"""ROUND of float32: halves go to the even number."""

from cases import unary


def cases():
    return unary.of_floats("round", "ROUND", None, -9.0, 9.0, (0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, 8388607.5, 1.0e10))
