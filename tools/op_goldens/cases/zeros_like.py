"""ZEROS_LIKE: zero bytes, whatever the input."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import model


def cases():
    for dtype in ("int8", "int32", "int64", "float32"):
        for name, dims in (("rank1", (7,)), ("rank3", (2, 3, 2))):
            draw = Draw(f"zeros_like/{dtype}_{name}")
            x, y = tensor_of(dtype, dims), tensor_of(dtype, dims)
            yield Case(f"{dtype}_{name}", model("ZEROS_LIKE", schema.ZerosLikeOptionsT(), [x], [y]),
                       [[values_of(draw, dtype, dims)]])
