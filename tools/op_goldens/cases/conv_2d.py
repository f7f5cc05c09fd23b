"""CONV_2D: weights are [out channels, height, width, in channels]."""

import math

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, float_records, int8_records, int16_records, window_output, windows_for
from cases.weighted import (
    ACTIVATIONS, EVERY_INT8, INT16_STAIRCASES, PADDINGS, STAIRCASE_INT16, STAIRCASES, FORMS, dynamic_parts, float_parts,
    in_form, int8_parts, int16_parts)
from single_op import DTYPES, model

import numpy as np


def options(stride, dilation, padding, activation, bias_type="float32"):
    fields = schema.Conv2DOptionsT()
    fields.strideH, fields.strideW = stride
    fields.dilationHFactor, fields.dilationWFactor = dilation
    fields.padding = PADDINGS[padding]
    fields.fusedActivationFunction = ACTIVATIONS[activation]
    fields.quantizedBiasType = DTYPES[bias_type][0]
    return fields


def conv(dtype, name, x_shape, window, stride=(1, 1), dilation=(1, 1), padding="VALID", *, channels=3, groups=1,
         activation="NONE", bias=True, records=None, form=None, accumulator="float32", **given):
    name = f"{dtype}_{name}"
    draw = Draw(f"conv_2d/{name}")
    w_shape = (channels, *window, x_shape[3] // groups)
    height, width = (window_output(x_shape[1 + i], window[i], stride[i], dilation[i], padding) for i in range(2))
    y_shape = (x_shape[0], height, width, channels)
    if dtype == "int8":
        x, w, b, y, zero = int8_parts(draw, x_shape, w_shape, y_shape, channels=channels, channel_axis=0,
                                      taps=math.prod(w_shape[1:]), bias=bias, **given)
        records = records or int8_records(draw, x_shape, zero)
    elif dtype == "int16":
        x, w, b, y = int16_parts(draw, x_shape, w_shape, y_shape, channels=channels, channel_axis=0,
                                 taps=math.prod(w_shape[1:]), bias=bias and given.pop("bias_type", "int64"), **given)
        records = records or int16_records(draw, x_shape)
    elif dtype == "dynamic":
        x, w, b, y = dynamic_parts(draw, x_shape, w_shape, y_shape, channels=channels, channel_axis=0, **given)
        records = records or float_records(draw, x_shape)
    else:
        x, w, b, y = float_parts(draw, x_shape, w_shape, y_shape, channels=channels, bias=bias)
        records = records or float_records(draw, x_shape)
    if form:
        w = in_form(form, w, draw)
    fields = options(stride, dilation, padding, activation, accumulator)
    file = model("CONV_2D", fields, [x, w, b] if bias else [x, w], [y],
                 version={"int8": 3, "int16": 4, "float32": 1, "dynamic": 5}[dtype])
    return Case(name, file, records)


def cases():
    for dtype in ("int8", "float32"):
        for window in windows_for(dtype):
            yield conv(dtype, *window)
        for activation in ("RELU", "RELU6", "RELU_N1_TO_1") if dtype == "int8" else ("RELU6",):
            # The output scale makes the real range wider than the activation's, so that both ends clamp.
            yield conv(dtype, f"activation_{activation.lower()}", (1, 4, 4, 2), (2, 2), activation=activation,
                       output=(0.0723, -11), weight_scales=[0.01, 0.02, 0.004])
        yield conv(dtype, "no_bias", (1, 3, 3, 2), (2, 2), bias=False)
        yield conv(dtype, "groups2", (1, 3, 3, 4), (2, 2), channels=4, groups=2)
        yield conv(dtype, "one_channel_in_and_out", (1, 4, 4, 1), (3, 3), channels=1)
        yield conv(dtype, "stride_larger_than_window", (1, 7, 7, 1), (2, 2), (3, 4), padding="SAME")

    yield conv("int8", "many_channels", (1, 2, 2, 19), (1, 1), channels=9)
    yield conv("int8", "per_tensor", (1, 4, 4, 2), (3, 3), per_channel=False)
    yield conv("int8", "per_channel_spread", (1, 2, 3, 2), (1, 1), channels=5,
               weight_scales=[1e-7, 1e-4, 0.01, 0.5, 60.0], output=(0.5, 0))
    yield conv("int8", "padding_with_zero_point_low", (1, 3, 3, 1), (3, 3), padding="SAME", input=(0.0235, -128))
    yield conv("int8", "padding_with_zero_point_high", (1, 3, 3, 1), (3, 3), padding="SAME", input=(0.0235, 127))
    yield conv("int8", "bias_extreme", (1, 1, 2, 1), (1, 1), channels=4, output=(1000.0, 0),
               weight_scales=[0.001], bias_values=np.array([2**30, -(2**30), 2**31 - 40000, -(2**31) + 40000]))
    for name, given_in, weight_scale, given_out in STAIRCASES:
        yield conv("int8", f"staircase_{name}", (1, 16, 16, 1), (1, 1), channels=1, input=given_in, output=given_out,
                   weight_scales=[weight_scale], weights=np.ones((1, 1, 1, 1)), bias_values=np.zeros(1),
                   records=[[EVERY_INT8.reshape(1, 16, 16, 1)]])

    for window in windows_for("int16"):
        yield conv("int16", *window)
    yield conv("int16", "activation_relu", (1, 4, 4, 2), (2, 2), activation="RELU")
    yield conv("int16", "activation_relu6", (1, 4, 4, 2), (2, 2), activation="RELU6", output=0.0007)
    yield conv("int16", "bias_int32", (1, 4, 4, 2), (2, 2), bias_type="int32")
    yield conv("int16", "no_bias", (1, 3, 3, 2), (2, 2), bias=False)
    yield conv("int16", "no_bias_accumulator_int32", (1, 3, 3, 2), (2, 2), bias=False, accumulator="int32")
    yield conv("int16", "groups2", (1, 3, 3, 4), (2, 2), channels=4, groups=2)
    yield conv("int16", "many_products", (1, 1, 2, 700), (1, 1), channels=2)
    yield conv("int16", "per_tensor", (1, 4, 4, 2), (3, 3), per_channel=False)
    yield conv("int16", "bias_extreme", (1, 1, 2, 1), (1, 1), channels=4, output=1e6, weight_scales=[0.1],
               input=0.5, bias_values=np.array([2**39, -(2**39), 2**46, -(2**46)]))
    for name, given_in, weight_scale, given_out in INT16_STAIRCASES:
        for bias_type in ("int64", "int32"):
            yield conv("int16", f"staircase_{bias_type}_{name}", (1, 16, 16, 1), (1, 1), channels=1, input=given_in,
                       output=given_out, weight_scales=[weight_scale], weights=np.ones((1, 1, 1, 1)),
                       bias_values=np.zeros(1), bias_type=bias_type,
                       records=[[STAIRCASE_INT16.reshape(1, 16, 16, 1)]])

    for form in FORMS:
        yield conv("int8", f"{form}_weights", (1, 4, 4, 3), (3, 3), channels=5, padding="SAME", form=form)
    yield conv("int8", "int4_odd_per_tensor", (1, 3, 3, 1), (3, 3), channels=3, form="int4", per_channel=False)
    yield conv("int8", "lut4_per_tensor", (1, 4, 4, 2), (3, 3), channels=4, form="lut4", per_channel=False)

    for window in windows_for("dynamic"):
        yield conv("dynamic", *window)
    yield conv("dynamic", "activation_relu", (1, 4, 4, 2), (2, 2), activation="RELU")
    yield conv("dynamic", "per_tensor", (2, 4, 4, 2), (3, 3), per_channel=False)
    yield conv("dynamic", "zeros", (1, 3, 3, 2), (2, 2), records=[[np.zeros((1, 3, 3, 2), np.float32)]])
    yield conv("dynamic", "positive", (1, 3, 3, 2), (2, 2), records=[[np.linspace(1, 9, 18, dtype=np.float32)
                                                                      .reshape(1, 3, 3, 2)]])
