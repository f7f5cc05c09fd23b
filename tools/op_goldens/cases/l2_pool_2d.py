"""L2_POOL_2D of float32."""

from ai_edge_litert import schema_py_generated as schema

from case import WINDOWS, Case, Draw, window_output
from cases.weighted import ACTIVATIONS
from single_op import Tensor, model


def pool(name, dims, window, stride, padding, activation="NONE"):
    draw = Draw(f"l2_pool_2d/{name}")
    fields = schema.Pool2DOptionsT()
    fields.padding = getattr(schema.Padding, padding)
    fields.filterHeight, fields.filterWidth = window
    fields.strideH, fields.strideW = stride
    fields.fusedActivationFunction = ACTIVATIONS[activation]
    n, h, w, c = dims
    shape = (n, window_output(h, window[0], stride[0], 1, padding), window_output(w, window[1], stride[1], 1, padding), c)
    x, y = Tensor("float32", dims), Tensor("float32", shape)
    return Case(f"float32_{name}", model("L2_POOL_2D", fields, [x], [y]), [[draw.floats(dims)]])


def cases():
    for name, dims, window, stride, dilation, padding in WINDOWS:
        if dilation == (1, 1) and "larger" not in name:
            yield pool(name, dims, window, stride, padding)
    yield pool("activation_relu_n1_to_1", (1, 4, 4, 2), (2, 2), (2, 2), "VALID", "RELU_N1_TO_1")
