"""SUB, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import edges, pair, shapes_for
from cases.weighted import ACTIVATIONS

VERSIONS = {"int8": 2, "int16": 5}
LIMITS = {"int32": {"low": -(10**6), "high": 10**6}}


def fields(activation="NONE"):
    options = schema.SubOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[activation]
    options.potScaleInt16 = False
    return options


def cases():
    for dtype in ("int8", "int16", "float32", "int32"):
        rest = {"version": VERSIONS.get(dtype, 1), **LIMITS.get(dtype, {})}
        for name, left, right in shapes_for(dtype == "int8"):
            yield pair("sub", "SUB", fields(), dtype, name, left, right, **rest)
        for activation in ("RELU", "RELU6", "RELU_N1_TO_1"):
            scales = ((0.05, 0), (0.03, 0), (0.04, 0))
            yield pair("sub", "SUB", fields(activation), dtype, f"activation_{activation.lower()}", (2, 3, 3), (3,),
                       scales=scales, **(rest if dtype != "int32" else {"low": -9, "high": 9}))
    for dtype in ("int8", "int16"):
        yield from edges("sub", "SUB", fields(), dtype, version=VERSIONS[dtype])
