"""PACK: stacks tensors of one shape along a new axis."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, values_of
from single_op import Tensor, constant, model, quantized

import numpy as np


def pack(dtype, name, dims, count, axis, *, constants=()):
    name = f"{dtype}_{name}"
    draw = Draw(f"pack/{name}")
    fields = schema.PackOptionsT()
    fields.valuesCount, fields.axis = count, axis
    at = axis if axis >= 0 else axis + len(dims) + 1
    y_shape = (*dims[:at], count, *dims[at:])
    quantization = {"scales": [0.1], "zero_points": [3]} if dtype == "int8" else {}
    inputs, record = [], []
    for index in range(count):
        if dtype == "int8":
            values = draw.integers(dims, -128, 127)
        elif dtype == "int32":
            values = draw.integers(dims, -(2**31), 2**31 - 1, np.int32)
        else:
            values = values_of(draw, dtype, dims)
        if index in constants:
            inputs.append(constant(dtype, values, **quantization))
        else:
            inputs.append(Tensor(dtype, dims, **quantization))
            record.append(values)
    y = Tensor(dtype, y_shape, **quantization)
    return Case(name, model("PACK", fields, inputs, [y], version=2 if dtype == "int8" else 1), [record])


def cases():
    for dtype in ("int8", "float32", "int32"):
        yield pack(dtype, "rank1_axis0", (4,), 3, 0)
        yield pack(dtype, "rank2_axis1", (2, 3), 2, 1)
        yield pack(dtype, "rank2_last_axis", (2, 3), 4, -1)
        yield pack(dtype, "constants_among_values", (3,), 3, 0, constants=(1, 2))
    yield pack("int16", "rank2_axis1", (2, 3), 2, 1)
    yield pack("int64", "rank2_axis1", (2, 3), 2, 1)
    yield pack("int8", "rank1_axis1", (4,), 3, 1)
    yield pack("int8", "rank3_negative_axis", (2, 1, 3), 2, -3)
    yield pack("int8", "one_value", (5,), 1, 0)
