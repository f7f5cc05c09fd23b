"""UNIDIRECTIONAL_SEQUENCE_LSTM, over several runs: each record is a run that finds the state which the one before left."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw
from single_op import Tensor, constant, model, quantized

import numpy as np

TANH = 4
RUNS = 3


def lstm(dtype, name, batches=1, steps=3, inputs=4, units=3, *, time_major=False, clip=0.0, scales=None,
         zero_points=(5, -2), cell_power=-11, bias=20000, weight_zero=0):
    """`scales` are those of input, weights, recurrent weights and hidden state; `zero_points` of input and hidden state."""
    name = f"{dtype}_{name}"
    draw = Draw(f"unidirectional_sequence_lstm/{name}")
    fields = schema.UnidirectionalSequenceLSTMOptionsT()
    fields.fusedActivationFunction, fields.timeMajor, fields.cellClip = TANH, time_major, clip
    leading = (steps, batches) if time_major else (batches, steps)
    x, y = (*leading, inputs), (*leading, units)

    def variable(dtype, scale, zero_point):
        state = (batches, units)
        if dtype == "float32":
            return Tensor(dtype, state, variable=True)
        return Tensor(dtype, state, scales=[scale], zero_points=[zero_point], variable=True)

    if dtype == "float32":
        weights = [constant(dtype, draw.floats((units, inputs), -1.0, 1.0)) for _ in range(4)]
        recurrent = [constant(dtype, draw.floats((units, units), -1.0, 1.0)) for _ in range(4)]
        biases = [constant(dtype, draw.floats((units,), -0.5, 0.5)) for _ in range(4)]
        states = [variable(dtype, 0, 0), variable(dtype, 0, 0)]
        input_tensor, output = Tensor(dtype, x), Tensor(dtype, y)
        records = [[draw.floats(x, -2.0, 2.0)] for _ in range(RUNS)]
    else:
        scales = scales or ((0.02, 0.008, 0.009, 1 / 128) if dtype == "int8" else (0.0001, 0.008, 0.009, 1 / 32768))
        zero_points = zero_points if dtype == "int8" or weight_zero else (0, 0)
        wide, bias_type = (np.int8, "int32") if dtype == "int8" else (np.int16, "int64")

        def gates(shape, scale):
            # Each gate has a scale of its own.
            each = [float(np.float32(scale * factor)) for factor in (1.0, 0.7, 1.3, 0.9)]
            return [constant("int8", draw.integers(shape, -127, 127), scales=[s], zero_points=[weight_zero]) for s in each]

        weights, recurrent = gates((units, inputs), scales[1]), gates((units, units), scales[2])
        biases = [
            constant(bias_type, draw.integers((units,), -bias, bias, np.dtype(bias_type)),
                     scales=[float(np.float32(scales[0]) * np.float32(w.scales[0]))], zero_points=[0])
            for w in weights
        ]
        states = [variable(dtype, scales[3], zero_points[1]), variable("int16", 2.0**cell_power, 0)]
        input_tensor = quantized(x, scales[0], zero_points[0], dtype)
        output = quantized(y, scales[3], zero_points[1], dtype)
        ends = np.iinfo(wide)
        records = [[draw.integers(x, int(ends.min), int(ends.max), wide)] for _ in range(RUNS)]
    left_out = [None]
    tensors = [input_tensor, *weights, *recurrent, *left_out * 3, *biases, *left_out * 2, *states, *left_out * 4]
    return Case(name, model("UNIDIRECTIONAL_SEQUENCE_LSTM", fields, tensors, [output]), records)


def cases():
    for dtype in ("int8", "int16", "float32"):
        yield lstm(dtype, "plain")
        yield lstm(dtype, "batch2", 2)
        yield lstm(dtype, "time_major", 1, time_major=True)
        yield lstm(dtype, "time_major_batch2", 2, time_major=True)
        yield lstm(dtype, "one_of_each", 1, 1, 1, 1)
        yield lstm(dtype, "wide", 1, 2, 19, 6)
        yield lstm(dtype, "long", 1, 20, 2, 2)
        yield lstm(dtype, "clip", clip=0.5)
        yield lstm(dtype, "clip_wide", clip=100.0)
    for dtype in ("int8", "int16"):
        for power in (-15, -13, -12, -10, -8):
            yield lstm(dtype, f"cell_scale_2_to_the_minus_{-power}", cell_power=power)
        yield lstm(dtype, "saturated_gates",
                   scales=(0.5, 0.3, 0.3, 1 / 128) if dtype == "int8" else (0.01, 0.3, 0.3, 1 / 32768))
        yield lstm(dtype, "small_gates", bias=100,
                   scales=(0.002, 0.001, 0.001, 1 / 128) if dtype == "int8" else (1e-5, 0.001, 0.001, 1 / 32768))
    for name, points in (("lowest", (-128, -128)), ("highest", (127, 127)), ("zero", (0, 0))):
        yield lstm("int8", f"zero_points_{name}", zero_points=points)
    for dtype in ("int8", "int16"):
        yield lstm(dtype, "weights_with_zero_point", 2, weight_zero=9)
        yield lstm(dtype, "weights_with_lowest_zero_point", weight_zero=-128)
    yield lstm("int8", "hidden_scale_fine", scales=(0.02, 0.008, 0.009, 1 / 300))
