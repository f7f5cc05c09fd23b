"""CAST between all types that TFLM has it for."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, values_of
from single_op import DTYPES, Tensor, model

import numpy as np

# A few values of each type beside those that are drawn.
SPECIAL = {
    "int8": [-128, 127, 0, -1],
    "int16": [-32768, 32767, 0, -1, 128, 255],
    "int32": [-(2**31), 2**31 - 1, 0, -1, 32768, 16777217],
    "uint32": [0, 2**32 - 1, 2**31, 128, 65535],
    "float32": [0.0, -0.0, 0.9, 1.5, 100.99, 0.4],
    "bool": [True, False],
}
# Floats beyond the ends of integer types.
BEYOND = [-1.5, 300.0, -129.2, 40000.0, -40000.0, 3e9, -3e9, 1e10, 1e20, -1e20]
OUTPUTS = ("int8", "int16", "int32", "uint32", "float32", "bool")


def cases():
    for source, special in SPECIAL.items():
        for target in OUTPUTS:
            name = f"{source}_to_{target}"
            draw = Draw(f"cast/{name}")
            if source == "uint32":
                drawn = draw.integers((6,), 0, 2**32 - 1, np.uint32)
            elif source == "float32":
                drawn = draw.floats((6,), -120.0, 120.0)
            else:
                drawn = values_of(draw, source, (6,))
            beyond = BEYOND if source == "float32" else []
            values = np.concatenate([np.array([*special, *beyond], DTYPES[source][1]), drawn]).reshape(1, -1)
            fields = schema.CastOptionsT()
            fields.inDataType, fields.outDataType = DTYPES[source][0], DTYPES[target][0]
            yield Case(name, model("CAST", fields, [Tensor(source, values.shape)], [Tensor(target, values.shape)]), [[values]])
