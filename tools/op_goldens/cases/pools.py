"""What MAX_POOL_2D and AVERAGE_POOL_2D share: input and output have the same quantization."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, float_records, int16_records, int8_records, window_output, windows_for
from cases.weighted import ACTIVATIONS, PADDINGS
from single_op import Tensor, model, quantized


def pool(op, dtype, name, x_shape, window, stride, _dilation=(1, 1), padding="VALID", *, activation="NONE",
         quantization=(0.05, -4)):
    name = f"{dtype}_{name}"
    draw = Draw(f"{op}/{name}")
    fields = schema.Pool2DOptionsT()
    fields.strideH, fields.strideW = stride
    fields.filterHeight, fields.filterWidth = window
    fields.padding = PADDINGS[padding]
    fields.fusedActivationFunction = ACTIVATIONS[activation]
    height, width = (window_output(x_shape[1 + i], window[i], stride[i], 1, padding) for i in range(2))
    y_shape = (x_shape[0], height, width, x_shape[3])
    if dtype == "int8":
        x, y = quantized(x_shape, *quantization), quantized(y_shape, *quantization)
        records = int8_records(draw, x_shape, quantization[1])
    elif dtype == "int16":
        quantization = (0.0002, 0)
        x, y = quantized(x_shape, *quantization, "int16"), quantized(y_shape, *quantization, "int16")
        records = int16_records(draw, x_shape)
    else:
        x, y = Tensor("float32", x_shape), Tensor("float32", y_shape)
        records = float_records(draw, x_shape)
    return Case(name, model(op, fields, [x], [y], version={"int8": 2, "int16": 3, "float32": 1}[dtype]), records)


def cases(op):
    for dtype in ("int8", "float32"):
        for window in windows_for(dtype):
            if window[4] == (1, 1):
                yield pool(op, dtype, *window)
        for activation in ("RELU", "RELU6", "RELU_N1_TO_1") if dtype == "int8" else ("RELU6",):
            yield pool(op, dtype, f"activation_{activation.lower()}", (1, 4, 4, 3), (2, 2), (1, 1),
                       activation=activation)
        yield pool(op, dtype, "stride_larger_than_window", (1, 7, 7, 1), (2, 2), (3, 4), padding="SAME")
        yield pool(op, dtype, "many_channels", (1, 2, 2, 21), (2, 2), (2, 2))
    for zero_point in (-128, 90):
        yield pool(op, "int8", f"relu6_zero_point_{zero_point}".replace("-", "minus_"), (1, 3, 3, 2), (2, 2), (1, 1),
                   padding="SAME", activation="RELU6", quantization=(0.05, zero_point))
    for window in windows_for("int16"):
        if window[4] == (1, 1):
            yield pool(op, "int16", *window)
    for activation in ("RELU", "RELU6"):
        yield pool(op, "int16", f"activation_{activation.lower()}", (1, 4, 4, 3), (2, 2), (1, 1), activation=activation)
    yield pool(op, "int16", "many_channels", (1, 2, 2, 21), (2, 2), (2, 2))
