"""SignalPCAN with tables of gains as TFLM makes them and with random ones: every power of two of noise, products of all sizes."""

import numpy as np

from case import Draw
from cases.audio import case
from single_op import Tensor, constant

# What tells the highest power of two of 32 bits, four numbers for each but the first.
ENTRIES = 125


def gains(strength, offset, input_bits, gain_bits):
    """A gain for each power of two, half way to the next and there, as the coefficients of a parabola."""

    def gain(x):
        value = (1 << gain_bits) * (x / (1 << input_bits) + offset) ** -strength
        return min(int(value + 0.5), 0x7FFF)

    table = [gain(0), gain(1)]
    for interval in range(2, 33):
        start = 1 << (interval - 1)
        level, middle, end = gain(start), gain(start + start // 2), gain(2 * start if interval < 32 else 2 * start - 1)
        slope = 4 * (middle - level) - (end - level)
        table += [level, slope, end - level - slope, 0]
    return np.array(table[:ENTRIES], np.int64).astype(np.int16)


def pcan(name, table, snr_shift, values=None, is_constant=True):
    draw = Draw(f"pcan/{name}")
    noise = [0, 1, 2, 3, 2**32 - 1] + [(1 << bit) + int(draw.unit() * (1 << bit)) for bit in range(1, 32)]
    noise = np.array(noise, np.uint32)
    values = draw.integers(noise.shape, 0, values or 2**32 - 1, np.uint32)
    ports = [("uint32", noise.shape)] * 2
    record = [values, noise]
    if is_constant:
        ports.append(constant("int16", table))
    else:
        ports.append(Tensor("int16", table.shape))
        record.append(table)
    return case("PCAN", name, {"snr_shift": snr_shift}, ports, [("uint32", noise.shape)], [record])


def cases():
    usual = gains(0.95, 80.0, 7, 21)
    yield pcan("usual", usual, 6, 20_000)
    yield pcan("wide_inputs", usual, 6)
    yield pcan("strong", gains(0.5, 2.0, 4, 12), 3, 4000)
    yield pcan("no_shift", usual, 0, 4000)
    yield pcan("far_shift", usual, 24)
    draw = Draw("pcan/tables")
    yield pcan("random", draw.integers((ENTRIES,), -32768, 32767, np.int16), 9)
    yield pcan("not_constant", gains(0.3, 9.0, 6, 14), 5, 9000, is_constant=False)
