"""LOG of float32, also next to one and at the ends."""

from cases import unary


def cases():
    return unary.of_floats("log", "LOG", None, 0.01, 50.0, (1.0, 2.0, 1.0e-30, 1.0e30, 0.999999, 1.000001, 1.0e-40, 2.7182817))
