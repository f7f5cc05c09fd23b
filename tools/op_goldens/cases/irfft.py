"""SignalIrfft of each type and of many lengths: all the ways that a length is taken apart."""

import numpy as np

from case import Draw
from cases.audio import TYPES, case, samples
from cases.rfft import FEWER, LENGTHS


def irfft(dtype, length, rows=(), name=None, most=None):
    name = f"{dtype}_{name or f'length_{length}'}"
    draw = Draw(f"irfft/{name}")
    shape = (*rows, length + 2)
    if dtype == "float32":
        records = [[draw.floats(shape, -100.0, 100.0)]]
    else:
        most = most or (32767 if dtype == "int16" else 2**31 - 1)
        records = samples(draw, shape, 1 if length > 64 else 2, most, np.dtype(dtype))
    fields = {"T": TYPES[dtype], "fft_length": length}
    return case("Irfft", name, fields, [(dtype, shape)], [(dtype, (*rows, length))], records)


def cases():
    for dtype in TYPES:
        for length in LENGTHS if dtype == "int16" else FEWER:
            yield irfft(dtype, length)
        yield irfft(dtype, 16, (3,), "rows")
        yield irfft(dtype, 12, (2, 2), "outer_dimensions")
    yield irfft("int16", 64, (), "small_numbers", 20)
