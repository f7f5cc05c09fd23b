"""REDUCE_ALL along constant axes."""

from cases import reduce


def cases():
    return reduce.cases_of("reduce_all", "REDUCE_ALL", ("bool",))
