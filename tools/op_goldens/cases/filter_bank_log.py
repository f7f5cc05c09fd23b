"""SignalFilterBankLog: over the whole range of inputs, correction bits and scales."""

import numpy as np

from case import Draw
from cases.audio import case


def log(name, scale, correction, values=None):
    draw = Draw(f"filter_bank_log/{name}")
    if values is None:
        powers = [(1 << bit) + int(draw.unit() * (1 << bit)) for bit in range(32)]
        values = [0, 1, 2, 3, 2**32 - 1, *powers]
    values = np.array(values, np.uint32)
    fields = {"input_correction_bits": correction, "output_scale": scale}
    return case("FilterBankLog", name, fields, [("uint32", values.shape)], [("int16", values.shape)], [[values]])


def cases():
    yield log("usual", 1600, 3)
    yield log("no_correction", 1600, 0)
    yield log("scale_one", 1, 0)
    yield log("scale_large", 65536, 2)
    yield log("scale_beyond", 2_000_000, 1)
    yield log("scale_negative", -3, 0)
    yield log("all_bits_away", 1600, 31)
    draw = Draw("filter_bank_log/values")
    yield log("values", 5000, 0, draw.integers((120,), 0, 2**20, np.int64))
