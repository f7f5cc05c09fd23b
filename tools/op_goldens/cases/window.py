"""SignalWindow: shifts, frames beside each other, products at the ends of int16."""

import numpy as np

from case import Draw
from cases.audio import case, samples
from single_op import Tensor, constant


def window(name, shape, shift, *, low=0, high=4096, is_constant=True, runs=2):
    draw = Draw(f"window/{name}")
    weights = draw.integers((shape[-1],), low, high, np.int16)
    records = samples(draw, shape, runs)
    ports = [("int16", shape)]
    if is_constant:
        ports.append(constant("int16", weights))
    else:
        ports.append(Tensor("int16", weights.shape))
        records = [record + [weights] for record in records]
    return case("Window", name, {"shift": shift}, ports, [("int16", shape)], records)


def cases():
    yield window("usual", (16,), 12)
    yield window("no_shift", (9,), 0, high=3)
    yield window("saturated", (12,), 5)
    yield window("negative", (12,), 13, low=-32768, high=32767)
    yield window("frames", (3, 8), 12)
    yield window("outer_dimensions", (2, 2, 5), 10)
    yield window("all_bits_away", (7,), 31, low=-32768)
    yield window("not_constant", (10,), 12, is_constant=False)
