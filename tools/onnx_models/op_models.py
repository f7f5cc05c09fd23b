"""Writes `crates/ember-onnx/tests/models/operators.json`: small models of one or a few operators, inputs, and what ONNX's
reference evaluator computes. Models are hexadecimal; numbers are as the ONNX file has them, row-major.
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnx.reference import ReferenceEvaluator

FILE = pathlib.Path(__file__).resolve().parents[2] / "crates/ember-onnx/tests/models/operators.json"
IMAGE, ROW, SIGNAL, SEQUENCE = (1, 3, 5, 6), (1, 12), (1, 4, 9), (1, 5, 4)

random = np.random.default_rng(7)
cases = {}


def real(*shape):
    return random.uniform(-1, 1, shape).astype(np.float32)


def integers(*numbers):
    return np.array(numbers, np.int64)


def case(name, op, shape, *constants, shapes=(), low=-2.0, high=2.0, opset=20, outputs=1, ranks=None, **attributes):
    """One operator. A constant of None is an operand that is left out; `shapes` are those of further inputs."""
    inputs = [shape, *shapes]
    names = [f"x{index}" for index in range(len(inputs))]
    stored = [numpy_helper.from_array(constant, f"c{index}") for index, constant in enumerate(constants) if constant is not None]
    operands = names + ["" if constant is None else f"c{index}" for index, constant in enumerate(constants)]
    results = [f"y{index}" for index in range(outputs)]
    node = helper.make_node(op, operands, results, name=name, **attributes)
    several([node], name, inputs, stored, results, low, high, opset)


def several(nodes, name, inputs, stored, results, low=-2.0, high=2.0, opset=20):
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(f"x{index}", TensorProto.FLOAT, shape) for index, shape in enumerate(inputs)],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, None) for result in results],
        stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    values = [random.uniform(low, high, shape).astype(np.float32) for shape in inputs]
    # Of old operators, the evaluator has the new form of some.
    newer = version_converter.convert_version(model, 15) if opset < 13 and op_is_softmax(model) else model
    made = ReferenceEvaluator(newer).run(None, {f"x{index}": value for index, value in enumerate(values)})
    if name in cases:
        raise ValueError(f"two cases are called {name}")
    cases[name] = {
        "model": model.SerializeToString().hex(),
        "inputs": [written(value) for value in values],
        "outputs": [written(value) for value in made],
    }


def op_is_softmax(model):
    return model.graph.node[0].op_type in ("Softmax", "LogSoftmax")


def written(array):
    """Every number with the fewest digits that give it back."""
    return [float(str(number)) for number in np.asarray(array, np.float32).ravel()]


def functions():
    for op in ("Abs", "Ceil", "Cos", "Exp", "Floor", "HardSwish", "Neg", "Round", "Sigmoid", "Sin", "Tanh"):
        case(op, op, IMAGE)
    for op in ("Elu", "LeakyRelu", "Selu", "Celu", "HardSigmoid", "Softplus", "Softsign", "Mish", "Clip"):
        case(op, op, ROW, low=-4, high=4, **({"opset": 18} if op == "Mish" else {}))
    for op in ("Log", "Sqrt", "Reciprocal"):
        case(op, op, ROW, low=0.3, high=3)
    case("Elu_alpha", "Elu", ROW, alpha=0.7)
    case("Celu_alpha", "Celu", ROW, alpha=1.7)
    case("LeakyRelu_alpha", "LeakyRelu", IMAGE, alpha=0.2)
    case("HardSigmoid_alpha", "HardSigmoid", IMAGE, alpha=1 / 6, beta=0.5, low=-4, high=4)
    case("Gelu_tanh", "Gelu", ROW, approximate="tanh", low=-4, high=4)
    case("Clip_bounds", "Clip", IMAGE, np.float32(-0.5), np.float32(1.25))
    case("Clip_min", "Clip", ROW, np.float32(-0.5))
    case("PRelu_channels", "PRelu", IMAGE, real(3, 1, 1))
    case("PRelu_row", "PRelu", ROW, real(12))
    for exponent in (-1.0, 0.5, 1.0, 2.0, 3.0):
        case(f"Pow_{exponent}", "Pow", ROW, np.float32(exponent), low=0.3, high=2)


def two():
    for op in ("Add", "Sub", "Mul", "Div"):
        away = {"low": 0.5, "high": 2.0} if op == "Div" else {}
        case(op, op, IMAGE, shapes=[IMAGE], **away)
        case(f"{op}_gate", op, IMAGE, shapes=[(1, 3, 1, 1)], **away)
        case(f"{op}_rows", op, (1, 4, 1), shapes=[(1, 1, 6)], **away)
        case(f"{op}_channels", op, IMAGE, np.abs(real(3, 1, 1)) + np.float32(0.5), **away)
        case(f"{op}_number", op, SEQUENCE, np.float32(1.5), **away)
        case(f"{op}_width", op, IMAGE, np.abs(real(6)) + np.float32(0.5), **away)
    case("Max", "Max", ROW, shapes=[ROW, ROW])
    case("Min_channels", "Min", IMAGE, real(3, 1, 1))
    case("Sum", "Sum", ROW, shapes=[ROW, ROW])
    case("Sub_from", "Sub", ROW, shapes=[(1, 1)])
    case("Add_more", "Add", (1, 1, 4), real(1, 3, 4))
    case("Add_lead", "Add", (3, 4), real(4))


def moves():
    case("Slice", "Slice", IMAGE, integers(1, 0), integers(5, 6), integers(2, 3), integers(2, 1))
    case("Slice_channels", "Slice", IMAGE, integers(1), integers(9), integers(1))
    case("Slice_end", "Slice", SEQUENCE, integers(-3), integers(-1), integers(1))
    case("Slice_old", "Slice", ROW, opset=9, starts=[2], ends=[7], axes=[1])
    case("Split", "Split", IMAGE, integers(1, 2), outputs=2, axis=1)
    case("Split_equal", "Split", ROW, outputs=3, axis=-1, num_outputs=3)
    case("Split_old", "Split", SEQUENCE, outputs=2, axis=1, split=[2, 3], opset=11)
    case("Concat", "Concat", IMAGE, shapes=[(1, 2, 5, 6)], axis=1)
    case("Concat_width", "Concat", IMAGE, real(1, 3, 5, 2), axis=3)
    case("Concat_rows", "Concat", SEQUENCE, shapes=[SEQUENCE], axis=1)
    case("Concat_lead", "Concat", (2, 3), shapes=[(4, 3)], axis=0)
    case("Gather", "Gather", SEQUENCE, np.array(-1, np.int64), axis=1)
    case("Gather_list", "Gather", IMAGE, integers(2, 0, 1), axis=1)
    case("Gather_columns", "Gather", ROW, integers(1, 2, 3, 9), axis=1)
    case("Transpose", "Transpose", SEQUENCE, perm=[0, 2, 1])
    case("Transpose_all", "Transpose", (2, 3, 4), perm=[2, 0, 1])
    case("Transpose_image", "Transpose", IMAGE, perm=[0, 2, 1, 3])
    case("Transpose_steps", "Transpose", SEQUENCE, perm=[1, 0, 2])
    case("Reshape_image", "Reshape", IMAGE, integers(1, 15, 6))
    case("Reshape_to_image", "Reshape", ROW, integers(1, 3, 2, 2))
    case("Reshape_lead", "Reshape", ROW, integers(3, 4))
    case("Reshape_row", "Reshape", IMAGE, integers(1, -1))
    case("Squeeze", "Squeeze", (1, 3, 1, 6), integers(2))
    case("Unsqueeze", "Unsqueeze", ROW, integers(1))
    case("Expand", "Expand", (1, 1, 4), integers(1, 3, 4))
    case("Pad_number", "Pad", IMAGE, integers(0, 0, 1, 2, 0, 0, 0, 1), np.float32(1.5))
    case("Pad_channels", "Pad", IMAGE, integers(0, 1, 0, 0, 0, 2, 0, 0))
    case("Pad_edge", "Pad", IMAGE, integers(0, 0, 1, 2, 0, 0, 0, 1), mode="edge")
    case("Pad_reflect", "Pad", SIGNAL, integers(0, 0, 2, 0, 0, 3), mode="reflect")
    case("Pad_axes", "Pad", IMAGE, integers(1, 2), None, integers(3))


def reductions():
    for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"):
        case(f"{op}_image", op, IMAGE, integers(2, 3), keepdims=0)
        case(f"{op}_channels", op, IMAGE, integers(1), keepdims=1)
        case(f"{op}_rows", op, SEQUENCE, integers(1), keepdims=0)
        case(f"{op}_height", op, IMAGE, integers(2), keepdims=0)
    case("ReduceMean_all", "ReduceMean", (1, 3, 4), keepdims=0)
    case("ReduceMean_old", "ReduceMean", SEQUENCE, axes=[-1], opset=13)
    for op in ("Softmax", "LogSoftmax"):
        for axis in (1, 2, 3):
            case(f"{op}_{axis}", op, IMAGE, axis=axis)
        case(f"{op}_row", op, ROW)
        case(f"{op}_old", op, SEQUENCE, opset=11, axis=1)
    case("GlobalMaxPool", "GlobalMaxPool", IMAGE)
    case("GlobalAveragePool_signal", "GlobalAveragePool", SIGNAL)
    case("LayerNormalization", "LayerNormalization", SEQUENCE, real(4), real(4))
    case("LayerNormalization_two", "LayerNormalization", SEQUENCE, real(5, 4), axis=1, epsilon=1e-3)
    case("InstanceNormalization", "InstanceNormalization", IMAGE, real(3), real(3))
    case("BatchNormalization_signal", "BatchNormalization", SIGNAL, real(4), real(4), real(4), np.abs(real(4)) + np.float32(0.5))


def windows():
    case("Conv_signal", "Conv", SIGNAL, real(6, 4, 3), real(6), pads=[1, 1])
    case("Conv_signal_stride", "Conv", SIGNAL, real(6, 4, 3), strides=[2], dilations=[2], pads=[2, 1])
    case("Conv_signal_depthwise", "Conv", SIGNAL, real(4, 1, 3), real(4), group=4)
    case("Conv_groups", "Conv", (1, 4, 5, 6), real(6, 2, 3, 3), real(6), group=2, pads=[1, 1, 1, 1])
    case("Conv_same_lower", "Conv", IMAGE, real(2, 3, 2, 2), auto_pad="SAME_LOWER")
    case("MaxPool_signal", "MaxPool", SIGNAL, kernel_shape=[3], strides=[2])
    case("AveragePool_signal", "AveragePool", SIGNAL, kernel_shape=[2], strides=[2], ceil_mode=1)
    case("AveragePool_counted", "AveragePool", IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
    weights = real(3, 4, 4, 4)
    case("ConvTranspose_same", "ConvTranspose", IMAGE, weights, real(4), strides=[2, 2], pads=[1, 1, 1, 1])
    case("ConvTranspose", "ConvTranspose", IMAGE, real(3, 4, 3, 3), real(4))
    case("ConvTranspose_extra", "ConvTranspose", IMAGE, real(3, 2, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    case("ConvTranspose_signal", "ConvTranspose", SIGNAL, real(4, 3, 4), real(3), strides=[2], pads=[1, 1])
    case("Resize_nearest", "Resize", IMAGE, None, np.float32([1, 1, 2, 2]), coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    case("Resize_half", "Resize", IMAGE, None, np.float32([1, 1, 2, 3]), mode="nearest")
    case("Resize_linear", "Resize", IMAGE, None, None, integers(1, 3, 10, 9), mode="linear")
    case("Resize_corners", "Resize", IMAGE, None, None, integers(1, 3, 9, 7), mode="linear", coordinate_transformation_mode="align_corners")
    case("Upsample", "Upsample", IMAGE, np.float32([1, 1, 2, 2]), opset=9)


def products():
    case("MatMul_rows", "MatMul", SEQUENCE, real(4, 3))
    case("MatMul_lead", "MatMul", (5, 4), real(4, 3))
    case("MatMul_left", "MatMul", SEQUENCE, shapes=[(1, 4, 3)])
    case("MatMul_heads", "MatMul", (1, 2, 5, 4), shapes=[(1, 2, 4, 3)])
    case("MatMul_two", "MatMul", (5, 4), shapes=[(4, 3)])
    case("Gemm_scaled", "Gemm", ROW, real(12, 5), real(5), alpha=0.5, beta=2.0)
    for name, op, gates in (("LSTM", "LSTM", 4), ("GRU", "GRU", 3), ("RNN", "RNN", 1)):
        units, features, steps = 3, 4, 5
        for direction in ("forward", "reverse", "bidirectional"):
            sides = 2 if direction == "bidirectional" else 1
            weights = [real(sides, gates * units, features), real(sides, gates * units, units), real(sides, 2 * gates * units)]
            if direction != "forward" and op != "LSTM":
                continue
            if direction == "bidirectional":
                # The reference evaluator has no second direction for it: two operators side by side.
                both(name, op, weights, units, features, steps)
                continue
            if direction == "reverse":
                continue
            options = {"linear_before_reset": 1} if op == "GRU" else {}
            case(f"{name}_{direction}", op, (steps, 1, features), *weights, outputs=2, hidden_size=units, **options)
    units = 3
    weights = [real(1, 3 * units, 4), real(1, 3 * units, units), real(1, 6 * units)]
    case("GRU_reset_first", "GRU", (4, 1, 4), *weights, outputs=2, hidden_size=units)
    case("GRU_state", "GRU", (4, 1, 4), *weights, None, real(1, 1, units), outputs=2, hidden_size=units, linear_before_reset=1)


def both(name, op, weights, units, features, steps):
    """A bidirectional operator, whose results must be those of one forward and one over the sequence turned around."""
    shape = (steps, 1, features)
    forward, backward = ([array[side : side + 1] for array in weights] for side in (0, 1))
    value = random.uniform(-2, 2, shape).astype(np.float32)

    def run(arrays, direction, value, outputs):
        stored = [numpy_helper.from_array(array, f"c{index}") for index, array in enumerate(arrays)]
        node = helper.make_node(op, ["x0", "c0", "c1", "c2"], ["y0", "y1"], name=name, hidden_size=units, direction=direction)
        graph = helper.make_graph(
            [node],
            name,
            [helper.make_tensor_value_info("x0", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(result, TensorProto.FLOAT, None) for result in outputs],
            stored,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        return model, (ReferenceEvaluator(model).run(None, {"x0": value}) if direction == "forward" else None)

    _, (one, last_one) = run(forward, "forward", value, ["y0", "y1"])
    _, (other, last_other) = run(backward, "forward", value[::-1], ["y0", "y1"])
    model, _ = run(weights, "bidirectional", value, ["y0", "y1"])
    states = np.concatenate([one, other[::-1]], axis=1)
    last = np.concatenate([last_one, last_other], axis=0)
    cases[f"{name}_bidirectional"] = {
        "model": model.SerializeToString().hex(),
        "inputs": [written(value)],
        "outputs": [written(states), written(last)],
    }


def main():
    for group in (functions, two, moves, reductions, windows, products):
        group()
    lines = [f"{json.dumps(name)}: {json.dumps(content)}" for name, content in cases.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(cases)} cases, {FILE.stat().st_size} bytes, onnx {onnx.__version__}")


if __name__ == "__main__":
    main()
