"""CAST between all types that TFLM has it for."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, values_of
from single_op import DTYPES, Tensor, model

import numpy as np

# A few values of each type beside those that are drawn; floats are within all the integer types that they become.
SPECIAL = {
    "int8": [-128, 127, 0, -1],
    "int16": [-32768, 32767, 0, -1, 128, 255],
    "int32": [-(2**31), 2**31 - 1, 0, -1, 32768, 16777217],
    "uint32": [0, 2**32 - 1, 2**31, 128, 65535],
    "float32": [0.0, -0.0, 0.9, 1.5, 100.99, 0.4],
    "bool": [True, False],
}
OUTPUTS = ("int8", "int16", "int32", "uint32", "float32", "bool")


def cases():
    for source, special in SPECIAL.items():
        for target in OUTPUTS:
            name = f"{source}_to_{target}"
            draw = Draw(f"cast/{name}")
            if source == "uint32":
                drawn = draw.integers((6,), 0, 2**32 - 1, np.uint32)
            elif source == "float32":
                drawn = draw.floats((6,), 0.0 if target == "uint32" else -120.0, 120.0)
            else:
                drawn = values_of(draw, source, (6,))
            values = np.concatenate([np.array(special, DTYPES[source][1]), drawn]).reshape(1, -1)
            fields = schema.CastOptionsT()
            fields.inDataType, fields.outDataType = DTYPES[source][0], DTYPES[target][0]
            yield Case(name, model("CAST", fields, [Tensor(source, values.shape)], [Tensor(target, values.shape)]), [[values]])
