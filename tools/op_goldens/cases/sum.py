"""SUM along constant axes."""

from cases import reduce


def cases():
    return reduce.cases_of("sum", "SUM", ("int8", "int16", "float32"), scaled=("int8", "int16"))
