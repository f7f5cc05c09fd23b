"""CIRCULAR_BUFFER over several runs, of which some end at it: its output is what it holds then."""

from case import Case, Draw, int8_records
from cases.audio import options
from single_op import Tensor, model, quantized


def buffer(name, slots, width, channels, period, zero_point=0, runs=5):
    draw = Draw(f"circular_buffer/{name}")
    shape = (1, 1, width, channels)
    output = quantized((1, slots, width, channels), 0.1, zero_point)
    output.variable = True
    records = [int8_records(draw, shape, zero_point)[0] for _ in range(runs)]
    fields = b"" if period is None else options(cycles_max=period)
    file = model("CIRCULAR_BUFFER", fields, [quantized(shape, 0.1, zero_point)], [output])
    return Case(name, file, records)


def cases():
    yield buffer("every_time", 3, 1, 4, 1)
    yield buffer("every_second", 4, 1, 3, 2)
    yield buffer("every_third", 2, 1, 5, 3, runs=7)
    yield buffer("width", 3, 2, 3, 1)
    yield buffer("zero_point", 6, 1, 3, 1, -128)
    yield buffer("one_slot", 1, 1, 6, 1)
    yield buffer("no_options", 5, 1, 3, None)
    yield buffer("no_options_other", 4, 1, 3, None)
    yield buffer("no_period", 13, 1, 2, 0)
