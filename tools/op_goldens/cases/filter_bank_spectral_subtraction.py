"""SignalFilterBankSpectralSubtraction over several runs: with and without clamping, with other coefficients in odd channels."""

import numpy as np

from case import Draw
from cases.audio import case


def subtraction(name, channels=8, *, bits=14, smoothing=0.04, alternate=0.06, remaining=0.05, smoothing_bits=10,
                clamping=False, high=20_000, runs=6):
    draw = Draw(f"filter_bank_spectral_subtraction/{name}")
    one = 1 << bits
    fields = {
        "alternate_one_minus_smoothing": int(one * (1 - alternate)),
        "alternate_smoothing": int(one * alternate),
        "clamping": clamping,
        "min_signal_remaining": int(one * remaining),
        "num_channels": channels,
        "one_minus_smoothing": int(one * (1 - smoothing)),
        "smoothing": int(one * smoothing),
        "smoothing_bits": smoothing_bits,
        "spectral_subtraction_bits": bits,
    }
    records = [[draw.integers((channels,), 0, high if run % 3 else high // 50 + 1, np.uint32)] for run in range(runs)]
    ports = [("uint32", (channels,))]
    return case("FilterBankSpectralSubtraction", name, fields, ports, ports * 2, records)


def cases():
    yield subtraction("usual", 40)
    yield subtraction("clamping", clamping=True)
    yield subtraction("fast", smoothing=0.9, alternate=0.5)
    yield subtraction("fast_clamping", smoothing=0.9, alternate=0.5, clamping=True)
    yield subtraction("no_smoothing_bits", smoothing_bits=0)
    yield subtraction("nothing_remains", remaining=0)
    yield subtraction("inputs_overflow", high=2**32 - 1)
    yield subtraction("inputs_overflow_clamping", high=2**32 - 1, clamping=True)
    yield subtraction("few_bits", bits=3, smoothing=0.5, alternate=0.25)
    yield subtraction("one_channel", 1)
