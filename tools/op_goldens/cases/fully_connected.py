"""FULLY_CONNECTED: weights are [units, depth]; the input's leading dimensions become the batch."""

import math

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, float_records, int16_records, int8_records
from cases.weighted import (
    ACTIVATIONS, EVERY_INT8, FEW_STAIRCASES, FORMS, dynamic_parts, float_parts, in_form, int16_parts, int8_parts)
from single_op import model

import numpy as np


def fully_connected(dtype, name, x_shape, units, *, activation="NONE", bias=True, keep_dims=False, records=None,
                    version=None, depth=None, form=None, asymmetric=False, **given):
    name = f"{dtype}_{name}"
    draw = Draw(f"fully_connected/{name}")
    fields = schema.FullyConnectedOptionsT()
    fields.fusedActivationFunction = ACTIVATIONS[activation]
    fields.keepNumDims = keep_dims
    depth = depth or x_shape[-1]
    batch = math.prod(x_shape) // depth
    y_shape = (*x_shape[:-1], units) if keep_dims else (batch, units)
    if dtype == "int8":
        given.setdefault("per_channel", False)
        x, w, b, y, zero = int8_parts(draw, x_shape, (units, depth), y_shape, channels=units, channel_axis=0,
                                      taps=depth, bias=bias, **given)
        records = records or int8_records(draw, x_shape, zero)
    elif dtype == "int16":
        given.setdefault("per_channel", False)
        x, w, b, y = int16_parts(draw, x_shape, (units, depth), y_shape, channels=units, channel_axis=0, taps=depth,
                                 bias=bias and given.pop("bias_type", "int64"), **given)
        records = records or int16_records(draw, x_shape)
    elif dtype == "dynamic":
        fields.asymmetricQuantizeInputs = asymmetric
        x, w, b, y = dynamic_parts(draw, x_shape, (units, depth), y_shape, channels=units, channel_axis=0, **given)
        records = records or float_records(draw, x_shape)
    else:
        x, w, b, y = float_parts(draw, x_shape, (units, depth), y_shape, channels=units, bias=bias)
        records = records or float_records(draw, x_shape)
    if form:
        w = in_form(form, w, draw)
    file = model("FULLY_CONNECTED", fields, [x, w, b], [y],
                 version=version or {"int8": 4, "int16": 7, "float32": 1, "dynamic": 9}[dtype])
    return Case(name, file, records)


def cases():
    for dtype in ("int8", "float32"):
        yield fully_connected(dtype, "10_to_4", (1, 10), 4)
        yield fully_connected(dtype, "1_to_1", (1, 1), 1)
        yield fully_connected(dtype, "33_to_3", (1, 33), 3)
        yield fully_connected(dtype, "batch5", (5, 6), 3)
        yield fully_connected(dtype, "rank4_flattened", (1, 2, 3, 2), 4, depth=12)
        yield fully_connected(dtype, "rank4_batch2", (2, 2, 3, 1), 3, depth=6)
        yield fully_connected(dtype, "rank3_keep_dims", (2, 3, 4), 5, keep_dims=True, version=5)
        yield fully_connected(dtype, "no_bias", (2, 7), 3, bias=False, version=6)
        for activation in ("RELU", "RELU6", "RELU_N1_TO_1"):
            yield fully_connected(dtype, f"activation_{activation.lower()}", (3, 8), 6, activation=activation,
                                  output=(0.0723, -11), weight_scales=[0.01])

    yield fully_connected("int8", "64_to_9", (1, 64), 9)
    yield fully_connected("int8", "per_channel", (2, 9), 5, per_channel=True, version=12)
    yield fully_connected("int8", "per_channel_relu", (2, 9), 5, per_channel=True, activation="RELU", version=12)
    yield fully_connected("int8", "per_channel_no_bias", (2, 9), 5, per_channel=True, bias=False, version=12)
    yield fully_connected("int8", "per_channel_spread", (4, 2), 5, version=12,
                          weight_scales=[1e-7, 1e-4, 0.01, 0.5, 60.0], output=(0.5, 0))
    yield fully_connected("int8", "bias_without_scale", (1, 4), 3, plain_bias=True, input=(0.04, 1), output=(0.2, 3),
                          weight_scales=[0.006])
    yield fully_connected("int8", "zero_points_low", (2, 12), 4, input=(0.0235, -128), output=(0.5, -128))
    yield fully_connected("int8", "zero_points_high", (2, 12), 4, input=(0.0235, 127), output=(0.5, 127))
    yield fully_connected("int8", "bias_extreme", (1, 2), 4, output=(1000.0, 0), weight_scales=[0.001],
                          bias_values=np.array([2**30, -(2**30), 2**31 - 100000, -(2**31) + 100000]))
    for name, given_in, weight_scale, given_out in FEW_STAIRCASES:
        yield fully_connected("int8", f"staircase_{name}", (256, 1), 1, input=given_in, output=given_out,
                              weight_scales=[weight_scale], weights=np.ones((1, 1)), bias_values=np.zeros(1),
                              records=[[EVERY_INT8.reshape(256, 1)]])

    yield fully_connected("int16", "10_to_4", (1, 10), 4)
    yield fully_connected("int16", "batch5", (5, 6), 3)
    yield fully_connected("int16", "600_to_2", (1, 600), 2)
    yield fully_connected("int16", "no_bias", (2, 7), 3, bias=False)
    yield fully_connected("int16", "bias_int32", (2, 7), 3, bias_type="int32", version=11)
    yield fully_connected("int16", "activation_relu", (3, 8), 6, activation="RELU")
    yield fully_connected("int16", "per_channel", (2, 9), 5, per_channel=True, version=12)
    yield fully_connected("int16", "per_channel_bias_int32", (2, 9), 5, per_channel=True, bias_type="int32", version=12)

    for form in FORMS:
        yield fully_connected("int8", f"{form}_weights", (2, 19), 5, form=form)
        if form != "int4":
            yield fully_connected("int8", f"{form}_per_channel", (1, 19), 5, per_channel=True, form=form, version=12)

    for name, asymmetric in (("symmetric", False), ("asymmetric", True)):
        yield fully_connected("dynamic", f"{name}_33_to_3", (1, 33), 3, per_channel=False, asymmetric=asymmetric)
        yield fully_connected("dynamic", f"{name}_batch5", (5, 6), 3, per_channel=False, asymmetric=asymmetric)
        yield fully_connected("dynamic", f"{name}_zeros", (2, 6), 3, per_channel=False, asymmetric=asymmetric,
                              activation="RELU", records=[[np.zeros((2, 6), np.float32)]])
        yield fully_connected("dynamic", f"{name}_per_channel", (2, 9), 4, asymmetric=asymmetric, version=12)
