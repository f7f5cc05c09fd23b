"""SignalFilterBank: banks of triangles, channels that overlap nothing, negative weights."""

import numpy as np

from case import Draw
from cases.audio import case
from single_op import Tensor, constant


def bank(name, channels, energies, *, widths=None, low=0, high=4096, constants=True, runs=2):
    draw = Draw(f"filter_bank/{name}")
    if widths is None:
        widths = [1 + int(draw.unit() * 5) for _ in range(channels + 1)]
    frequency_starts = [min(i * energies // (channels + 1), energies - max(w, 0)) for i, w in enumerate(widths)]
    weight_starts = [sum(max(w, 0) for w in widths[:i]) for i in range(channels + 1)]
    count = max(1, sum(max(w, 0) for w in widths))
    parts = [draw.integers((count,), low, high, np.int16), draw.integers((count,), low, high, np.int16),
             np.array(frequency_starts, np.int16), np.array(weight_starts, np.int16), np.array(widths, np.int16)]
    records = [[draw.integers((energies,), 0, 2**32 - 1 if run else 1000, np.uint32)] for run in range(runs)]
    inputs = [("uint32", (energies,))]
    if constants:
        inputs += [constant("int16", part) for part in parts]
    else:
        inputs += [Tensor("int16", part.shape) for part in parts]
        records = [record + parts for record in records]
    return case("FilterBank", name, {"num_channels": channels}, inputs, [("uint64", (channels,))], records)


def cases():
    yield bank("five", 5, 30)
    yield bank("one", 1, 8)
    yield bank("many", 40, 257)
    yield bank("empty_channels", 4, 20, widths=[0, 3, 0, 2, 0])
    yield bank("negative_weights", 6, 40, low=-4096)
    yield bank("widest_weights", 6, 40, low=-32768, high=32767)
    yield bank("not_constant", 4, 25, constants=False)
