"""SignalFramer over several runs: with and without zeros before the first sample, several frames and rows in a run."""

from case import Draw
from cases.audio import case_where_valid, samples


def framer(name, shape, size, step, prefill, runs=5):
    draw = Draw(f"framer/{name}")
    fields = {"frame_size": size, "frame_step": step, "prefill": prefill}
    outputs = [("int16", (*shape[:-1], shape[-1] // step, size)), ("bool", ())]
    return case_where_valid("Framer", name, fields, ("int16", shape), outputs, samples(draw, shape, runs))


def cases():
    for prefill in (False, True):
        word = "prefilled" if prefill else "empty"
        yield framer(f"{word}_usual", (4,), 6, 4, prefill)
        yield framer(f"{word}_whole_steps", (3,), 9, 3, prefill)
        yield framer(f"{word}_many_steps", (2,), 9, 2, prefill, 8)
        yield framer(f"{word}_frames", (8,), 6, 4, prefill)
        yield framer(f"{word}_rows", (2, 3), 5, 3, prefill)
        yield framer(f"{word}_no_overlap", (8,), 4, 4, prefill)
        yield framer(f"{word}_outer_dimensions", (2, 1, 4), 4, 2, prefill)
    yield framer("empty_gaps", (12,), 3, 4, False)
