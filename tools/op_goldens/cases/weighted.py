"""Quantization parameters and constants of the operators with weights: convolutions and fully connected."""

import math

import numpy as np

from single_op import Encoded, Tensor, constant, quantized

ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
PADDINGS = {"SAME": 0, "VALID": 1}


def int8_parts(draw, x_shape, w_shape, y_shape, *, channels, channel_axis, taps, bias=True, per_channel=True, **given):
    """Input, weights, bias and output of an int8 operator whose outputs each sum `taps` products.

    `given` may fix `input`, `output` (scale, zero point), `weight_scales`, `weights` and `bias_values`; what it leaves
    open is drawn so that the output uses most of int8's range. `plain_bias` leaves the bias without quantization.
    """
    in_scale, in_zero = given.get("input", (0.0235, -5))
    scales = given.get("weight_scales") or draw.scales(channels if per_channel else 1, 0.002, 0.02)
    deviation = math.sqrt(taps) * 74 * 73
    mean_scale = sum(scales) / len(scales)
    out_scale, out_zero = given.get("output", (deviation * in_scale * mean_scale / 50, 3))
    weights = given.get("weights")
    if weights is None:
        weights = draw.integers(w_shape, -127, 127)
    zeros = [0] * len(scales)
    x = quantized(x_shape, in_scale, in_zero)
    w = constant("int8", weights, scales=scales, zero_points=zeros, axis=channel_axis if len(scales) > 1 else 0)
    b = None
    if bias:
        values = given.get("bias_values")
        if values is None:
            values = draw.integers((channels,), -int(deviation), int(deviation), np.int32)
        # The kernels take the products of the float32 scales, so that is what the bias must carry.
        bias_scales = [float(np.float32(in_scale) * np.float32(s)) for s in scales]
        b = constant("int32", values, scales=bias_scales, zero_points=zeros)
        if given.get("plain_bias"):
            b = constant("int32", values)
    return x, w, b, quantized(y_shape, out_scale, out_zero), in_zero


def int16_parts(draw, x_shape, w_shape, y_shape, *, channels, channel_axis, taps, bias="int64", per_channel=True,
                **given):
    """The same with activations of int16, whose zero points are 0; `bias` is its type, or None."""
    in_scale = given.get("input", 0.00031)
    scales = given.get("weight_scales") or draw.scales(channels if per_channel else 1, 0.002, 0.02)
    deviation = math.sqrt(taps) * 19000 * 73
    out_scale = given.get("output", deviation * in_scale * sum(scales) / len(scales) / 13000)
    weights = given.get("weights")
    if weights is None:
        weights = draw.integers(w_shape, -127, 127)
    zeros = [0] * len(scales)
    w = constant("int8", weights, scales=scales, zero_points=zeros, axis=channel_axis if len(scales) > 1 else 0)
    b = None
    if bias:
        values = given.get("bias_values")
        if values is None:
            values = draw.integers((channels,), -int(deviation), int(deviation), np.int64)
        bias_scales = [float(np.float32(in_scale) * np.float32(s)) for s in scales]
        b = constant(bias, values, scales=bias_scales, zero_points=zeros)
    return quantized(x_shape, in_scale, 0, "int16"), w, b, quantized(y_shape, out_scale, 0, "int16")


def dynamic_parts(draw, x_shape, w_shape, y_shape, *, channels, channel_axis, per_channel=True):
    """The same on float32 activations with int8 weights."""
    scales = draw.scales(channels if per_channel else 1, 0.002, 0.02)
    w = constant("int8", draw.integers(w_shape, -127, 127), scales=scales, zero_points=[0] * len(scales),
                 axis=channel_axis if len(scales) > 1 else 0)
    b = constant("float32", draw.floats((channels,), -1.0, 1.0))
    return Tensor("float32", x_shape), w, b, Tensor("float32", y_shape)


def float_parts(draw, x_shape, w_shape, y_shape, *, channels, bias=True):
    """Input, weights, bias and output of the same operator in float32."""
    w = constant("float32", draw.floats(w_shape, -1.0, 1.0))
    b = constant("float32", draw.floats((channels,), -1.0, 1.0)) if bias else None
    return Tensor("float32", x_shape), w, b, Tensor("float32", y_shape)


def in_form(form, w, draw):
    """The constant int8 weights `w` in another form: (weights to put in their place, the weights that they stand for).

    `int4` clips to four bits and packs; `lut` clusters to a few values per channel; `pruned` zeroes most weights.
    """
    values = w.data.astype(np.int64)
    if form == "int4":
        values = values >> 4
        flat = np.append(values.ravel() & 15, [0] * (values.size % 2)).astype(np.uint8)
        return Tensor("int4", w.shape, data=flat[0::2] | flat[1::2] << 4, scales=w.scales, zero_points=w.zero_points,
                      axis=w.axis)
    tensor = Tensor("int8", w.shape, scales=w.scales, zero_points=w.zero_points, axis=w.axis)
    if form == "pruned":
        values = np.where(draw.integers(w.shape, 0, 3) == 0, values, 0)
        bits = (values != 0).ravel()
        kept = values.ravel()[bits].astype(np.int8).view(np.uint8)
        header = np.zeros(16, np.uint8)
        header[:5] = 2, 1, 0, 0, 1
        return Encoded(tensor, np.packbits(bits), np.concatenate([header, kept]))
    width = int(form.removeprefix("lut"))
    channels = len(w.scales)
    by_channel = np.moveaxis(values, w.axis, 0).reshape(channels, -1) if channels > 1 else values.reshape(1, -1)
    tables = np.stack([draw.integers((2**width,), -127, 127) for _ in range(channels)])
    indices = np.mod(by_channel, 2**width)
    if channels > 1:
        moved = np.moveaxis(w.data, w.axis, 0).shape
        indices = np.moveaxis(indices.reshape(moved), 0, w.axis)
    bits = (indices.reshape(-1, 1) >> np.arange(width - 1, -1, -1)) & 1
    header = np.zeros(16, np.uint8)
    header[:7] = 0, 1, 0, 0, 1, width, 2**width
    return Encoded(tensor, np.packbits(bits.ravel()), np.concatenate([header, tables.view(np.uint8).ravel()]))


FORMS = ["int4", "lut1", "lut2", "lut3", "lut4", "lut5", "lut7", "pruned"]

# Quantization parameters at the edges, for an operator with one input and one output channel whose weight is 1 and
# whose bias is 0: each of the 256 inputs is an accumulator, so the record shows the whole staircase of the
# requantization. Name, input (scale, zero point), weight scale, output (scale, zero point).
STAIRCASES = [
    ("multiplier_one", (0.5, 0), 0.5, (0.25, 0)),
    ("multiplier_half_ties", (0.5, 0), 0.5, (0.5, 0)),
    ("multiplier_quarter_ties", (0.5, 0), 0.25, (0.5, 0)),
    ("multiplier_eighth_offset", (0.25, -3), 0.25, (0.5, 7)),
    ("multiplier_just_below_half", (0.4999999, 1), 0.5, (0.5, 0)),
    ("multiplier_above_one", (0.1, -7), 0.37, (0.01, 2)),
    ("multiplier_power_of_two_above_one", (0.5, 0), 0.5, (0.0625, 0)),
    ("multiplier_large_saturates", (1.0, 5), 1.0, (0.001, -4)),
    ("multiplier_tiny", (1e-6, 9), 1e-3, (1.0, -11)),
    ("multiplier_below_shift_range", (1e-9, -128), 1e-6, (100.0, 127)),
    ("zero_points_low", (0.031, -128), 0.5, (0.029, -128)),
    ("zero_points_high", (0.031, 127), 0.5, (0.029, 127)),
    ("zero_points_apart", (0.031, -128), 0.3, (0.029, 40)),
    ("scales_huge", (3.0e5, 0), 2.0e4, (9.0e9, 1)),
    ("scales_tiny", (3.0e-5, 0), 2.0e-4, (9.0e-9, 1)),
]

# The rows for the operators that requantize as CONV_2D does, to show that they do.
FEW_STAIRCASES = [row for row in STAIRCASES if row[0] in (
    "multiplier_quarter_ties", "multiplier_just_below_half", "multiplier_above_one", "multiplier_below_shift_range",
    "zero_points_apart")]

EVERY_INT8 = np.arange(-128, 128, dtype=np.int8)

# The same for int16, on inputs around ties: name, input scale, weight scale, output scale.
INT16_STAIRCASES = [
    ("multiplier_one", 0.5, 0.5, 0.25),
    ("multiplier_half_ties", 0.5, 0.5, 0.5),
    ("multiplier_eighth_ties", 0.25, 0.25, 0.5),
    ("multiplier_just_below_half", 0.4999999, 0.5, 0.5),
    ("multiplier_above_one", 0.1, 0.37, 0.01),
    ("multiplier_just_below_one", 0.4999999, 0.4999999, 0.25),
    ("multiplier_large_saturates", 1.0, 1.0, 0.02),
    ("multiplier_tiny", 1e-6, 1e-3, 1.0),
]
STAIRCASE_INT16 = np.concatenate([np.arange(-64, 64), np.linspace(-32768, 32767, 128)]).astype(np.int16)
