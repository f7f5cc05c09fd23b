"""MUL, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import edges, pair, shapes_for
from cases.weighted import ACTIVATIONS

VERSIONS = {"int8": 2, "int16": 4}


def fields(activation="NONE"):
    options = schema.MulOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[activation]
    return options


def cases():
    for dtype in ("int8", "int16", "float32", "int32"):
        rest = {"version": VERSIONS.get(dtype, 1)}
        if dtype == "int32":
            rest |= {"low": -70000, "high": 70000}
        for name, left, right in shapes_for(dtype == "int8"):
            yield pair("mul", "MUL", fields(), dtype, name, left, right, **rest)
        for activation in ("RELU", "RELU6", "RELU_N1_TO_1"):
            scales = ((0.05, 0), (0.03, 0), (0.04, 0))
            yield pair("mul", "MUL", fields(activation), dtype, f"activation_{activation.lower()}", (2, 3, 3), (3,),
                       scales=scales, **(rest if dtype != "int32" else {"low": -5, "high": 5}))
    for dtype in ("int8", "int16"):
        yield from edges("mul", "MUL", fields(), dtype, version=VERSIONS[dtype],
                         output_scale=lambda left, right: left * right * (70.0 if dtype == "int8" else 20000.0))
    yield pair("mul", "MUL", fields(), "int8", "multiplier_above_one", (1, 40), (1, 40),
               scales=((2.0, 0), (3.0, 1), (0.7, 0)), version=2, low=-6, high=6)
