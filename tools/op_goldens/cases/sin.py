"""SIN of float32, also far from zero."""

from cases import unary


def cases():
    return unary.of_floats("sin", "SIN", None, -7.0, 7.0, (0.0, 1e-3, 3.1415927, -1.5707964, 100.0, 12345.678, -1.0e6, 3.0e9))
