"""What the cases of control flow and of variables share: operators on each type, inputs, handles."""

import numpy as np

from case import tensor_of, values_of
from single_op import Tensor, constant
from subgraphs import options

# Every type that TFLM copies between subgraphs.
TYPES = ("float32", "int8", "int16", "int32", "int64", "bool")
SHAPE = (2, 3)


def tensor(dtype, shape=SHAPE):
    return tensor_of(dtype, shape)


def values(draw, dtype, shape=SHAPE):
    low, high = (-1000, 1000) if dtype in ("int16", "int32", "int64") else (None, None)
    return values_of(draw, dtype, shape, low, high)


def change(graph, dtype, x, shape=SHAPE):
    """Something that gives other values of the same type, and again others when it is done again."""
    if dtype == "bool":
        return graph.op("LOGICAL_NOT", options("LogicalNotOptions"), [x], [tensor(dtype, shape)])
    if dtype == "int64":
        axis = graph.add(constant("int32", [len(shape) - 1]))
        return graph.op("REVERSE_V2", options("ReverseV2Options"), [x, axis], [tensor(dtype, shape)])
    step = {"float32": 0.75, "int8": 7, "int16": 300, "int32": -11}[dtype]
    fields = tensor(dtype, (1,))
    fields.data = np.array([step], dtype={"float32": "<f4", "int8": "i1", "int16": "<i2", "int32": "<i4"}[dtype])
    if dtype == "int16":
        add = options("AddOptions", potScaleInt16=False)
        return graph.op("ADD", add, [x, graph.add(fields)], [tensor(dtype, shape)], 2)
    return graph.op("ADD", options("AddOptions"), [x, graph.add(fields)], [tensor(dtype, shape)], 2)


def handle(graph, name, container=None):
    """The handle of a variable."""
    fields = options("VarHandleOptions", sharedName=name, container=container)
    return graph.op("VAR_HANDLE", fields, [], [Tensor("resource", (1,))])


def read(graph, variable, dtype, shape=SHAPE):
    return graph.op("READ_VARIABLE", options("ReadVariableOptions"), [variable], [tensor(dtype, shape)])


def assign(graph, variable, value):
    graph.op("ASSIGN_VARIABLE", options("AssignVariableOptions"), [variable, value], [])


def resting(dtype, shape=SHAPE):
    """What a variable holds before anything is assigned to it: the zero point of `tensor`, or zeros."""
    return np.full(shape, 3 if dtype == "int8" else 0, dtype=np.dtype("?" if dtype == "bool" else dtype))


def call_once(graph, subgraph):
    graph.op("CALL_ONCE", options("CallOnceOptions", initSubgraphIndex=subgraph), [], [])


def scalar(value):
    return np.array([value], dtype=np.int32)


def truth(value):
    return np.array([value], dtype=np.bool_)


def with_state(graph, dtype, x, shape=SHAPE):
    """SVDF from `x` to a tensor like it: what it gives depends on the calls before."""
    batches, inputs = shape
    memory, rank = 2, 1
    weights = np.arange(inputs * inputs).reshape(inputs, inputs) * 7 % 11 - 5
    over_time = np.arange(inputs * memory).reshape(inputs, memory) % 3 - 1
    fields = options("SVDFOptions", rank=rank, fusedActivationFunction=1 if dtype == "int8" else 0)
    state = Tensor(dtype, (batches, inputs * memory), variable=True)
    if dtype == "int8":
        state.scales, state.zero_points = [0.1], [5]
        feature = constant("int8", weights * 20, scales=[0.01], zero_points=[0])
        time = constant("int8", over_time * 90, scales=[0.01], zero_points=[0])
        bias = constant("int32", [300, -200, 100], scales=[0.1 * 0.01], zero_points=[0])
    else:
        feature = constant("float32", weights / 10)
        time = constant("float32", over_time)
        bias = constant("float32", [0.5, -0.25, 1.0])
    others = [graph.add(part) for part in (feature, time, bias, state)]
    return graph.op("SVDF", fields, [x, *others], [tensor(dtype, shape)], 3 if dtype == "int8" else 1)
