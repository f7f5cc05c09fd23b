"""MAX_POOL_2D."""

from cases import pools


def cases():
    return pools.cases("MAX_POOL_2D")
