"""AVERAGE_POOL_2D."""

from cases import pools


def cases():
    return pools.cases("AVERAGE_POOL_2D")
