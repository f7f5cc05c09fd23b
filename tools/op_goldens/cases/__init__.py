"""The cases of each operator, in a module named as the operator's file in the Rust crates."""

import importlib

OPERATORS = [
    "abs",
    "add",
    "average_pool_2d",
    "cast",
    "ceil",
    "conv_2d",
    "cos",
    "depthwise_conv_2d",
    "dequantize",
    "div",
    "elu",
    "equal",
    "exp",
    "floor",
    "floor_div",
    "floor_mod",
    "fully_connected",
    "greater",
    "greater_equal",
    "hard_swish",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "logical_and",
    "logical_not",
    "logical_or",
    "logistic",
    "max_pool_2d",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "not_equal",
    "pack",
    "prelu",
    "quantize",
    "relu",
    "relu6",
    "reshape",
    "round",
    "rsqrt",
    "shape",
    "sin",
    "softmax",
    "sqrt",
    "square",
    "squared_difference",
    "strided_slice",
    "sub",
    "tanh",
    "zeros_like",
]


def cases_of(operator):
    """The cases of one operator, in a fixed order, with unique names."""
    cases = list(importlib.import_module(f"cases.{operator}").cases())
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), f"{operator}: two cases have one name"
    return cases
