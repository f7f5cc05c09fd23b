"""SignalRfft of each type and of many lengths: all the ways that a length is taken apart, inputs shorter than it, several rows."""

import numpy as np

from case import Draw
from cases.audio import TYPES, case, samples

# Half of each is a product of 2, 3, 4 and 5; the last are those of speech at 8, 16 and 44.1 kHz.
LENGTHS = (4, 6, 8, 10, 12, 16, 18, 20, 24, 30, 32, 40, 50, 54, 60, 64, 72, 90, 96, 100, 128, 150, 240, 256, 320, 512)
# The arithmetic differs between the types, the order of operations does not.
FEWER = (4, 6, 8, 10, 12, 18, 24, 30, 50, 64, 90, 256)


def rfft(dtype, length, used=None, rows=(), name=None, most=None):
    name = f"{dtype}_{name or f'length_{length}'}"
    draw = Draw(f"rfft/{name}")
    shape = (*rows, used or length)
    if dtype == "float32":
        records = [[draw.floats(shape, -100.0, 100.0)]]
    else:
        most = most or (32767 if dtype == "int16" else 2**31 - 1)
        records = samples(draw, shape, 1 if length > 64 else 2, most, np.dtype(dtype))
    fields = {"T": TYPES[dtype], "fft_length": length}
    return case("Rfft", name, fields, [(dtype, shape)], [(dtype, (*rows, length + 2))], records)


def cases():
    for dtype in TYPES:
        for length in LENGTHS if dtype == "int16" else FEWER:
            yield rfft(dtype, length)
        yield rfft(dtype, 32, 25, (), "shorter")
        yield rfft(dtype, 16, 16, (3,), "rows")
        yield rfft(dtype, 12, 7, (2, 2), "outer_dimensions")
    yield rfft("int16", 64, None, (), "small_numbers", 20)
    # As micro_speech has it.
    yield rfft("int16", 1024, 480, (), "micro_speech")
