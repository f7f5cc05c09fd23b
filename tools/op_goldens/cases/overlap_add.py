"""SignalOverlapAdd of each type over several runs: steps up to a frame, several frames and rows in a run, saturated sums."""

from case import Draw
from cases.audio import TYPES, case, samples


def overlap(dtype, name, shape, step, runs=4):
    name = f"{dtype}_{name}"
    draw = Draw(f"overlap_add/{name}")
    fields = {"T": TYPES[dtype], "frame_step": step}
    if dtype == "float32":
        records = [[draw.floats(shape)] for _ in range(runs)]
    else:
        records = samples(draw, shape, runs)
    output = (*shape[:-2], shape[-2] * step)
    return case("OverlapAdd", name, fields, [(dtype, shape)], [(dtype, output)], records)


def cases():
    for dtype in ("int16", "float32"):
        yield overlap(dtype, "half", (1, 8), 4)
        yield overlap(dtype, "frames", (3, 6), 2)
        yield overlap(dtype, "rows", (2, 2, 5), 3)
        yield overlap(dtype, "whole", (2, 4), 4)
        yield overlap(dtype, "one_sample", (4, 7), 1)
        yield overlap(dtype, "outer_dimensions", (2, 1, 2, 4), 3)
