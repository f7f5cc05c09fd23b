"""SignalFftAutoScale: how many bits a signal has left."""

import numpy as np

from case import Draw
from cases.audio import case


def scaled(name, values):
    values = np.array(values, np.int16)
    port = ("int16", values.shape)
    return case("FftAutoScale", name, {}, [port], [port, ("int32", ())], [[values]])


def cases():
    draw = Draw("fft_auto_scale")
    for bits in (1, 4, 8, 12, 14, 15):
        reach = (1 << bits) - 1
        yield scaled(f"bits_{bits}", draw.integers((9,), -reach, reach, np.int32))
    yield scaled("zeros", [0, 0, 0])
    yield scaled("one", [1, 0, -1])
    yield scaled("negative", [-5, 3, -16384, 7])
    yield scaled("lowest_first", [-32768, 3, -3, 5])
    yield scaled("lowest_last", [5, 3, -32768])
    yield scaled("lowest_alone", [-32768, -1])
    yield scaled("highest", [32767, -32767, 2])
