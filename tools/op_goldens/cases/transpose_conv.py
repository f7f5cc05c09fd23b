"""TRANSPOSE_CONV, with and without bias."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, int8_records, int16_records
from cases.weighted import ACTIVATIONS, PADDINGS, float_parts, int8_parts, int16_parts
from single_op import constant, model

import numpy as np

# Name, input, filter (h, w), stride (h, w), output (h, w), output channels, padding.
SHAPES = [
    ("stride1_same", (1, 4, 4, 2), (3, 3), (1, 1), (4, 4), 3, "SAME"),
    ("stride1_valid", (1, 3, 4, 2), (3, 3), (1, 1), (5, 6), 2, "VALID"),
    ("stride2_same", (1, 3, 3, 2), (3, 3), (2, 2), (6, 6), 2, "SAME"),
    ("stride2_same_odd", (1, 3, 3, 2), (3, 3), (2, 2), (5, 5), 1, "SAME"),
    ("stride2_valid", (1, 2, 3, 1), (2, 2), (2, 2), (4, 6), 4, "VALID"),
    ("uneven_strides", (1, 2, 4, 3), (3, 2), (2, 1), (4, 4), 2, "SAME"),
    ("filter_below_stride", (1, 2, 2, 2), (1, 1), (2, 2), (4, 4), 2, "SAME"),
    ("batches", (2, 2, 3, 2), (2, 3), (2, 2), (4, 6), 2, "SAME"),
    ("wide_filter", (1, 3, 2, 1), (5, 5), (2, 2), (6, 4), 2, "SAME"),
]


def convolution(dtype, row, *, bias=True, activation="NONE", per_channel=True, suffix="", **given):
    name, dims, window, stride, size, channels, padding = row
    name = f"{dtype}_{name}{suffix}"
    draw = Draw(f"transpose_conv/{name}")
    fields = schema.TransposeConvOptionsT()
    fields.padding = PADDINGS[padding]
    fields.strideH, fields.strideW = stride
    fields.fusedActivationFunction = ACTIVATIONS[activation]
    w_shape, y_shape = (channels, *window, dims[3]), (dims[0], *size, channels)
    taps = max(1, window[0] * window[1] * dims[3] // (stride[0] * stride[1]))
    sizes = {"channels": channels, "channel_axis": 0, "taps": taps, "per_channel": per_channel}
    if dtype == "int8":
        x, w, b, y, zero = int8_parts(draw, dims, w_shape, y_shape, bias=bias, **sizes, **given)
        records = int8_records(draw, dims, zero)
    elif dtype == "int16":
        x, w, b, y = int16_parts(draw, dims, w_shape, y_shape, bias={True: "int64", False: None}.get(bias, bias), **sizes, **given)
        records = int16_records(draw, dims)
    else:
        x, w, b, y = float_parts(draw, dims, w_shape, y_shape, channels=channels, bias=bias)
        records = [[draw.floats(dims)]]
    inputs = [constant("int32", np.array(y_shape)), w, x] + ([b] if bias else [])
    return Case(name, model("TRANSPOSE_CONV", fields, inputs, [y], version=4 if activation != "NONE" else 3 if bias else 2),
                records)


def cases():
    for dtype in ("int8", "int16", "float32"):
        for row in SHAPES:
            if dtype == "int8" or row[0] in ("stride1_valid", "stride2_same", "uneven_strides", "batches"):
                yield convolution(dtype, row)
        yield convolution(dtype, SHAPES[2], bias=False, suffix="_without_bias")
        yield convolution(dtype, SHAPES[2], activation="RELU", suffix="_relu")
    small = np.array([30000, -32768])
    for row in (SHAPES[2], SHAPES[5]):
        yield convolution("int16", row, bias="int16", suffix="_bias_of_int16", bias_values=small, output=0.05)
    yield convolution("int8", SHAPES[2], per_channel=False, suffix="_per_tensor")
    yield convolution("int8", SHAPES[1], input=(0.03, -128), output=(0.9, 90), suffix="_zero_points")
    yield convolution("int8", SHAPES[0], activation="RELU6", suffix="_relu6")
