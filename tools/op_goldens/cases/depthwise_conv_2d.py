"""DEPTHWISE_CONV_2D: weights are [1, height, width, out channels], each input channel has `multiplier` of them."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, float_records, int16_records, int8_records, window_output, windows_for
from cases.weighted import (
    ACTIVATIONS, EVERY_INT8, FEW_STAIRCASES, FORMS, PADDINGS, dynamic_parts, float_parts, in_form, int16_parts, int8_parts)
from single_op import model

import numpy as np


def options(stride, dilation, padding, activation, multiplier):
    fields = schema.DepthwiseConv2DOptionsT()
    fields.strideH, fields.strideW = stride
    fields.dilationHFactor, fields.dilationWFactor = dilation
    fields.padding = PADDINGS[padding]
    fields.depthMultiplier = multiplier
    fields.fusedActivationFunction = ACTIVATIONS[activation]
    return fields


def depthwise(dtype, name, x_shape, window, stride=(1, 1), dilation=(1, 1), padding="VALID", *, multiplier=1,
              activation="NONE", bias=True, records=None, form=None, **given):
    name = f"{dtype}_{name}"
    draw = Draw(f"depthwise_conv_2d/{name}")
    channels = x_shape[3] * multiplier
    w_shape = (1, *window, channels)
    height, width = (window_output(x_shape[1 + i], window[i], stride[i], dilation[i], padding) for i in range(2))
    y_shape = (x_shape[0], height, width, channels)
    if dtype == "int8":
        x, w, b, y, zero = int8_parts(draw, x_shape, w_shape, y_shape, channels=channels, channel_axis=3,
                                      taps=window[0] * window[1], bias=bias, **given)
        records = records or int8_records(draw, x_shape, zero)
    elif dtype == "int16":
        x, w, b, y = int16_parts(draw, x_shape, w_shape, y_shape, channels=channels, channel_axis=3,
                                 taps=window[0] * window[1], bias="int64" if bias else None, **given)
        records = records or int16_records(draw, x_shape)
    elif dtype == "dynamic":
        x, w, b, y = dynamic_parts(draw, x_shape, w_shape, y_shape, channels=channels, channel_axis=3)
        records = records or float_records(draw, x_shape)
    else:
        x, w, b, y = float_parts(draw, x_shape, w_shape, y_shape, channels=channels, bias=bias)
        records = records or float_records(draw, x_shape)
    if form:
        w = in_form(form, w, draw)
    file = model("DEPTHWISE_CONV_2D", options(stride, dilation, padding, activation, multiplier),
                 [x, w, b] if bias else [x, w], [y],
                 version={"int8": 3, "int16": 5, "float32": 1, "dynamic": 6}[dtype])
    return Case(name, file, records)


def cases():
    for dtype in ("int8", "float32"):
        for window in windows_for(dtype):
            yield depthwise(dtype, *window)
        for activation in ("RELU", "RELU6", "RELU_N1_TO_1") if dtype == "int8" else ("RELU6",):
            yield depthwise(dtype, f"activation_{activation.lower()}", (1, 4, 4, 4), (2, 2), activation=activation,
                            output=(0.0523, -11), weight_scales=[0.01, 0.02, 0.004, 0.03])
        yield depthwise(dtype, "no_bias", (1, 3, 3, 2), (2, 2), bias=False)
        yield depthwise(dtype, "multiplier3_same_stride2", (1, 5, 4, 2), (3, 2), (2, 2), padding="SAME", multiplier=3)
        yield depthwise(dtype, "multiplier8_one_channel", (1, 6, 4, 1), (4, 3), (2, 2), padding="SAME", multiplier=8)

    yield depthwise("int8", "many_channels", (1, 3, 3, 17), (3, 3), padding="SAME")
    yield depthwise("int8", "per_tensor", (1, 4, 4, 2), (3, 3), per_channel=False)
    yield depthwise("int8", "per_channel_spread", (1, 2, 3, 5), (1, 1),
                    weight_scales=[1e-7, 1e-4, 0.01, 0.5, 60.0], output=(0.5, 0))
    yield depthwise("int8", "padding_with_zero_point_low", (1, 3, 3, 1), (3, 3), padding="SAME", input=(0.0235, -128))
    yield depthwise("int8", "padding_with_zero_point_high", (1, 3, 3, 1), (3, 3), padding="SAME", input=(0.0235, 127))
    for name, given_in, weight_scale, given_out in FEW_STAIRCASES:
        yield depthwise("int8", f"staircase_{name}", (1, 16, 16, 1), (1, 1), input=given_in, output=given_out,
                        weight_scales=[weight_scale], weights=np.ones((1, 1, 1, 1)), bias_values=np.zeros(1),
                        records=[[EVERY_INT8.reshape(1, 16, 16, 1)]])

    for window in windows_for("int16"):
        yield depthwise("int16", *window)
    yield depthwise("int16", "no_bias", (1, 3, 3, 2), (2, 2), bias=False)
    yield depthwise("int16", "activation_relu6", (1, 4, 4, 4), (2, 2), activation="RELU6", output=0.0007)
    yield depthwise("int16", "multiplier3_same_stride2", (1, 5, 4, 2), (3, 2), (2, 2), padding="SAME", multiplier=3)
    yield depthwise("int16", "many_channels", (1, 3, 3, 17), (3, 3), padding="SAME")

    for form in FORMS:
        yield depthwise("int8", f"{form}_weights", (1, 4, 4, 5), (3, 3), padding="SAME", form=form)

    for window in windows_for("dynamic"):
        yield depthwise("dynamic", *window)
    yield depthwise("dynamic", "multiplier3_same_stride2", (1, 5, 4, 2), (3, 2), (2, 2), padding="SAME", multiplier=3)
    yield depthwise("dynamic", "activation_relu6", (1, 4, 4, 4), (2, 2), activation="RELU6")
