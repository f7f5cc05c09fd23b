"""SHAPE: the input's dimensions as int32."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import DTYPES, Tensor, model, quantized


def shape(dtype, name, dims):
    name = f"{dtype}_{name}"
    draw = Draw(f"shape/{name}")
    fields = schema.ShapeOptionsT()
    fields.outType = DTYPES["int32"][0]
    if dtype == "int8":
        x, values = quantized(dims, 0.1, 3), draw.integers(dims, -128, 127)
    elif dtype == "int32":
        x, values = Tensor(dtype, dims), draw.integers(dims, -9, 9, DTYPES["int32"][1])
    else:
        x, values = tensor_of(dtype, dims), values_of(draw, dtype, dims)
    return Case(name, model("SHAPE", fields, [x], [Tensor("int32", (len(dims),))]), [[values]])


def cases():
    for dtype in ("int8", "float32", "int32"):
        yield shape(dtype, "rank4", (1, 3, 2, 4))
    yield shape("int16", "rank3", (2, 1, 3))
    yield shape("int8", "rank1", (7,))
    yield shape("float32", "rank2", (2, 5))
    yield shape("int32", "rank5", (1, 2, 1, 2, 3))
