"""SVDF, over several runs: each record is a run that finds the state which the one before left."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw
from single_op import Tensor, constant, model, quantized

import numpy as np

ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3, "TANH": 4, "SIGN_BIT": 5}
RUNS = 6


def svdf(types, name, batches=1, inputs=4, units=3, rank=2, memory=5, *, activation="NONE", bias=True,
         scales=(0.03, 0.01, 0.02, 0.0006, 0.05), zero_points=(4, 0, -3), weights=(-127, 127)):
    """`scales` are those of input, features, state, time and output; `zero_points` of input, state and output."""
    name = f"{types}_{name}"
    draw = Draw(f"svdf/{name}")
    fields = schema.SVDFOptionsT()
    fields.rank, fields.fusedActivationFunction = rank, ACTIVATIONS[activation]
    filters = units * rank
    feature, time = (filters, inputs), (filters, memory)
    state = (batches, filters * memory)
    if types == "float32":
        tensors = [
            Tensor("float32", (batches, inputs)),
            constant("float32", draw.floats(feature, -1.0, 1.0)),
            constant("float32", draw.floats(time, -1.0, 1.0)),
            constant("float32", draw.floats((units,), -1.0, 1.0)) if bias else None,
            Tensor("float32", state, variable=True),
        ]
        output = Tensor("float32", (batches, units))
        records = [[draw.floats((batches, inputs), -2.0, 2.0)] for _ in range(RUNS)]
    else:
        wide = types.removeprefix("int8_with_")
        reach = (-32768, 32767) if wide == "int16" else (-127, 127)
        state_zero_point = 0 if wide == "int16" else zero_points[1]
        tensors = [
            quantized((batches, inputs), scales[0], zero_points[0]),
            constant("int8", draw.integers(feature, *weights), scales=[scales[1]], zero_points=[0]),
            constant(wide, draw.integers(time, *reach, np.dtype(wide)), scales=[scales[3]], zero_points=[0]),
            constant("int32", draw.integers((units,), -3000, 3000, np.int32),
                     scales=[float(np.float32(scales[2]) * np.float32(scales[3]))], zero_points=[0]),
            Tensor(wide, state, scales=[scales[2]], zero_points=[state_zero_point], variable=True),
        ]
        output = quantized((batches, units), scales[4], zero_points[2])
        records = [[draw.integers((batches, inputs), -128, 127)] for _ in range(RUNS)]
    return Case(name, model("SVDF", fields, tensors, [output], version=1 if types == "float32" else 3), records)


INT8 = "int8_with_int8"
INT16 = "int8_with_int16"


def cases():
    wide = {"scales": (0.03, 0.01, 0.0004, 0.00003, 0.05)}
    for types, more in ((INT8, {}), (INT16, wide), ("float32", {})):
        yield svdf(types, "rank2", **more)
        yield svdf(types, "rank1", rank=1, **more)
        yield svdf(types, "batch3", 3, 5, 2, 2, 3, **more)
        yield svdf(types, "memory1", memory=1, **more)
        yield svdf(types, "memory8", memory=8, units=5, **more)
        yield svdf(types, "one_of_each", 1, 1, 1, 1, 2, **more)
        yield svdf(types, "wide", 1, 37, 4, 1, 9, **more)
    for activation in ("RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"):
        yield svdf("float32", f"activation_{activation.lower()}", activation=activation)
    yield svdf(INT16, "activation_relu", activation="RELU", **wide)
    yield svdf(INT8, "activation_relu", activation="RELU")
    for types, state_scale, time_scale in ((INT8, 0.02, 0.0006), (INT16, 0.0004, 0.00003)):
        for name, points, more in (("lowest", (-128, 0, -128), 0.2), ("highest", (127, 0, 127), 0.2)):
            yield svdf(types, f"zero_points_{name}", zero_points=points, scales=(0.03, 0.01, state_scale, time_scale, more))
        yield svdf(types, "saturated", scales=(0.3, 0.3, state_scale, time_scale, 0.0001))
        yield svdf(types, "multiplier_above_one", scales=(1.5, 1.1, state_scale, 1.7, 0.3))
        yield svdf(types, "multiplier_small", scales=(0.001, 0.001, state_scale * 20, time_scale, 0.00001))
    # The state's zero point: it begins there, and wraps where the products saturate.
    for points in ((3, 7, -5), (0, -128, 0), (0, 127, 4)):
        yield svdf(INT8, f"state_zero_point_{points[1]}".replace("-", "minus_"), zero_points=points)
    yield svdf(INT8, "state_wraps", zero_points=(3, 90, -5), scales=(0.3, 0.3, 0.02, 0.0006, 0.05))
