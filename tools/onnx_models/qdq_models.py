"""Quantized models in the QDQ form, written node by node: the scales and zero points are what the tests are about."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Writer:
    """A graph under construction; every value that a node makes is named by its caller."""

    def __init__(self, seed, activations):
        self.random = np.random.default_rng(seed)
        self.activations = activations  # numpy dtype of the quantized activations
        self.nodes, self.constants = [], []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{output}", **attributes))
        return output

    def quantized(self, value, scale, zero_point):
        """QuantizeLinear and DequantizeLinear behind a value; `zero_point` is that of int8."""
        shift = 128 if self.activations == np.uint8 else 0
        scale = self.constant(f"{value}_scale", np.float32(scale))
        zero = self.constant(f"{value}_zero_point", self.activations(zero_point + shift))
        integers = self.node("QuantizeLinear", [value, scale, zero], f"{value}_quantized")
        return self.node("DequantizeLinear", [integers, scale, zero], f"{value}_real")

    def weights(self, name, shape, axis, most=0.02):
        """Integers behind a DequantizeLinear: a scale for each index of `axis`, one for all where it is None."""
        integers = self.random.integers(-127, 128, shape).astype(np.int8)
        if axis is None:
            scale, zero, attributes = np.float32(0.0123), np.int8(0), {}
        else:
            # Not every channel uses the whole range of its integers: its scale must be kept all the same.
            scale = self.random.uniform(most / 10, most, shape[axis]).astype(np.float32)
            zero, attributes = np.zeros(shape[axis], np.int8), {"axis": axis}
            integers[tuple(slice(None) if i != axis else 0 for i in range(len(shape)))] //= 2
        names = [
            self.constant(f"{name}_integers", integers),
            self.constant(f"{name}_scale", scale),
            self.constant(f"{name}_zero_point", zero),
        ]
        return self.node("DequantizeLinear", names, name, **attributes), scale

    def bias(self, name, units, input_scale, weight_scale):
        integers = self.random.integers(-2000, 2000, units).astype(np.int32)
        scale = np.broadcast_to(np.float32(input_scale) * weight_scale, (units,)).astype(np.float32)
        names = [
            self.constant(f"{name}_integers", integers),
            self.constant(f"{name}_scale", scale),
            self.constant(f"{name}_zero_point", np.zeros(units, np.int32)),
        ]
        return self.node("DequantizeLinear", names, name, axis=0)

    def model(self, image, outputs, output):
        graph = helper.make_graph(
            self.nodes,
            "quantized",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", *image])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", outputs])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model


def per_channel():
    """Int8 activations and a scale for each channel: convolution, depthwise, residual, pools, a row and a dense layer."""
    w = Writer(1, np.int8)
    x = w.quantized("image", 1 / 64, -3)
    weights, scale = w.weights("first_weights", (6, 2, 3, 3), 0)
    bias = w.bias("first_bias", 6, 1 / 64, scale)
    x = w.node("Relu", [w.node("Conv", [x, weights, bias], "first", pads=[1, 1, 1, 1])], "first_relu")
    x = w.quantized(x, 0.0434567, -128)
    y = w.node("MaxPool", [x], "small", kernel_shape=[2, 2], strides=[2, 2])
    y = w.quantized(y, 0.0434567, -128)
    weights, scale = w.weights("deep_weights", (6, 1, 3, 3), 0)
    bias = w.bias("deep_bias", 6, 0.0434567, scale)
    z = w.node("Conv", [y, weights, bias], "deep", pads=[1, 1, 1, 1], group=6)
    z = w.quantized(z, 0.071, 5)
    x = w.node("Relu", [w.node("Add", [y, z], "sum")], "sum_relu")
    x = w.quantized(x, 0.0811, -128)
    # Other parameters than those of its input, as exporters write them.
    x = w.quantized(w.node("AveragePool", [x], "mean", kernel_shape=[2, 2], strides=[1, 1]), 0.0611, -128)
    x = w.node("Flatten", [x], "row")
    weights, scale = w.weights("scores_weights", (5, 6 * 3 * 3), 0, most=0.002)
    bias = w.bias("scores_bias", 5, 0.0611, scale)
    x = w.quantized(w.node("Gemm", [x, weights, bias], "scores", transB=1), 0.0625, 7)
    return w.model((2, 8, 8), 5, w.node("Softmax", [x], "probabilities", axis=1)), (2, 8, 8)


def per_tensor():
    """Uint8 activations, one scale for all weights of a layer, MatMul with a float Add behind it as its bias."""
    w = Writer(2, np.uint8)
    x = w.quantized("image", 0.01, -100)
    x = w.node("Flatten", [x], "row")
    weights, _ = w.weights("hidden_weights", (16, 9), None)
    bias = w.constant("hidden_bias", w.random.uniform(-1, 1, 9).astype(np.float32))
    x = w.node("Add", [w.node("MatMul", [x, weights], "product"), bias], "hidden")
    x = w.quantized(w.node("Relu", [x], "hidden_relu"), 0.02, -128)
    weights, scale = w.weights("scores_weights", (9, 4), 1)
    x = w.quantized(w.node("MatMul", [x, weights], "scores"), 0.05, -11)
    return w.model((1, 4, 4), 4, x), (1, 4, 4)


MODELS = {"qdq_per_channel": per_channel, "qdq_per_tensor": per_tensor}
