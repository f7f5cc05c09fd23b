"""The cases of each operator, in a module named as the operator's file in the Rust crates."""

import importlib

OPERATORS = [
    "add",
    "average_pool_2d",
    "conv_2d",
    "depthwise_conv_2d",
    "dequantize",
    "fully_connected",
    "max_pool_2d",
    "pack",
    "quantize",
    "relu",
    "relu6",
    "reshape",
    "shape",
    "softmax",
    "strided_slice",
]


def cases_of(operator):
    """The cases of one operator, in a fixed order, with unique names."""
    cases = list(importlib.import_module(f"cases.{operator}").cases())
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), f"{operator}: two cases have one name"
    return cases
