"""SignalStacker over several runs: contexts and steps of all kinds."""

from case import Draw
from cases.audio import case_where_valid, samples


def stacker(name, channels, left, right, step, runs=7):
    draw = Draw(f"stacker/{name}")
    fields = {"num_channels": channels, "stacker_left_context": left, "stacker_right_context": right,
              "stacker_step": step}
    outputs = [("int16", (channels * (left + 1 + right),)), ("bool", ())]
    records = samples(draw, (channels,), runs)
    return case_where_valid("Stacker", name, fields, ("int16", (channels,)), outputs, records)


def cases():
    yield stacker("usual", 4, 1, 1, 2)
    yield stacker("left_only", 3, 3, 0, 1)
    yield stacker("right_only", 3, 0, 3, 1)
    yield stacker("step_of_all", 2, 1, 2, 4, 9)
    yield stacker("none_around", 5, 0, 0, 1)
    yield stacker("one_channel", 1, 2, 2, 3, 9)
    yield stacker("wide", 2, 4, 2, 2, 9)
