"""REDUCE_MIN along constant axes."""

from cases import reduce


def cases():
    return reduce.cases_of("reduce_min", "REDUCE_MIN", ("int8", "float32"))
