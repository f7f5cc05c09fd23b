"""RESHAPE: the new shape comes from a constant tensor or from the options."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, values_of
from single_op import Tensor, constant, model, quantized

import numpy as np


def reshape(dtype, name, old, new, *, asked=None, as_tensor=True, with_options=True):
    name = f"{dtype}_{name}"
    draw = Draw(f"reshape/{name}")
    asked = list(new) if asked is None else asked
    fields = None
    if with_options:
        fields = schema.ReshapeOptionsT()
        fields.newShape = asked
    if dtype == "int8":
        x, y = quantized(old, 0.1, 3), quantized(new, 0.1, 3)
        record = [draw.integers(old, -128, 127)]
    elif dtype == "int16":
        x, y = quantized(old, 0.1, 0, "int16"), quantized(new, 0.1, 0, "int16")
        record = [draw.integers(old, -32768, 32767, np.int16)]
    elif dtype == "int32":
        x, y = Tensor("int32", old), Tensor("int32", new)
        record = [draw.integers(old, -(2**31), 2**31 - 1, np.int32)]
    else:
        x, y = Tensor(dtype, old), Tensor(dtype, new)
        record = [values_of(draw, dtype, old)]
    inputs = [x, constant("int32", asked)] if as_tensor else [x]
    return Case(name, model("RESHAPE", fields, inputs, [y]), [record])


def cases():
    for dtype in ("int8", "int16", "float32", "int32", "int64", "uint8", "bool"):
        yield reshape(dtype, "flatten", (1, 3, 2, 4), (1, 24))
    yield reshape("int8", "flatten_inferred", (1, 3, 2, 4), (1, 24), asked=[1, -1], with_options=False)
    yield reshape("int8", "inferred_in_the_middle", (2, 6), (2, 3, 2), asked=[2, -1, 2])
    yield reshape("float32", "shape_in_options_only", (12,), (3, 4), as_tensor=False)
    yield reshape("int8", "more_dimensions", (8,), (1, 2, 1, 2, 2))
    yield reshape("float32", "same_shape", (2, 3), (2, 3))
    yield reshape("int32", "one_element_to_rank1", (1, 1), (1,))
