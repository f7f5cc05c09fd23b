"""SignalFilterBankSquareRoot: squares and their neighbours, over the whole range of uint64, with every shift."""

import numpy as np

from case import Draw
from cases.audio import case


def root(name, shifts, values):
    values = np.array(values, np.uint64)
    ports = [("uint64", values.shape), ("int32", ())]
    records = [[values, np.array(shift, np.int32)] for shift in shifts]
    return case("FilterBankSquareRoot", name, {}, ports, [("uint32", values.shape)], records)


def cases():
    draw = Draw("filter_bank_square_root")
    yield root("small", [0], list(range(40)))
    roots = [1 << bit for bit in range(1, 32)] + [1 + int(draw.unit() * 2**32) for _ in range(30)]
    yield root("squares", [0, 1], [r * r for r in roots])
    yield root("below_squares", [0], [r * r - 1 for r in roots])
    yield root("halfway", [0], [r * r + r for r in roots if r * r + r < 2**64])
    yield root("above_halfway", [0], [r * r + r + 1 for r in roots if r * r + r + 1 < 2**64])
    yield root("ends", [0, 3], [0, 1, 2**32 - 1, 2**32, 2**64 - 1, 2**63, 65535 * 65535 + 65535, 65535 * 65535 + 65536])
    yield root("shifts", list(range(0, 16)), [int(draw.unit() * 2 ** (4 * i + 4)) for i in range(15)])
