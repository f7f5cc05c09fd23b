"""SignalDelay over several runs: shorter and longer than a frame, of several rows."""

from case import Draw
from cases.audio import case, samples


def delay(name, shape, length, runs=4):
    draw = Draw(f"delay/{name}")
    port = ("int16", shape)
    return case("Delay", name, {"delay_length": length}, [port], [port], samples(draw, shape, runs))


def cases():
    yield delay("shorter_than_a_frame", (8,), 3)
    yield delay("one_sample", (5,), 1)
    yield delay("none", (5,), 0)
    yield delay("a_frame", (6,), 6)
    yield delay("longer_than_a_frame", (4,), 9, 6)
    yield delay("rows", (3, 4), 5)
    yield delay("outer_dimensions", (2, 2, 3), 2)
    yield delay("frame_of_one", (1,), 3, 6)
