"""LOGISTIC."""

from cases import unary

# Name, input.
PARAMETERS = [
    ("ordinary", (0.05, -4)),
    ("fine", (0.001, 3)),
    ("coarse", (0.5, 0)),
    ("very_coarse", (20.0, 5)),
    ("power_of_two", (0.0625, 0)),
    ("zero_point_lowest", (0.06, -128)),
    ("zero_point_highest", (0.03, 127)),
    ("tiny_ratio", (1.0e-6, 0)),
]
SCALES_INT16 = [("ordinary", 0.0003), ("power_of_two", 1 / 4096), ("next_to_a_power", 1 / 4096 * 1.002), ("fine", 1.0e-5),
                ("coarse", 0.02), ("very_coarse", 2.0), ("twice_the_power", 1 / 2048)]


def cases():
    yield from unary.of_floats("logistic", "LOGISTIC", None, -8.0, 8.0, (0.0, 20.0, -20.0, -9.5, 17.0, 1.0e-4))
    for name, source in PARAMETERS:
        yield unary.of_int8("LOGISTIC", None, name, source, (1 / 256, -128), version=2)
    for name, source in SCALES_INT16:
        yield unary.of_int16("logistic", "LOGISTIC", None, name, source, 1 / 32768, version=3)
