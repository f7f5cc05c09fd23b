"""REDUCE_MAX along constant axes."""

from cases import reduce


def cases():
    return reduce.cases_of("reduce_max", "REDUCE_MAX", ("int8", "float32"))
