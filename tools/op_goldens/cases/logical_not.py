"""LOGICAL_NOT."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, values_of
from single_op import Tensor, model


def cases():
    for name, dims in (("rank1", (9,)), ("rank2", (2, 5)), ("rank3", (2, 3, 2)), ("rank4", (1, 2, 3, 4)), ("one", (1,))):
        draw = Draw(f"logical_not/{name}")
        x, y = Tensor("bool", dims), Tensor("bool", dims)
        yield Case(f"bool_{name}", model("LOGICAL_NOT", schema.LogicalNotOptionsT(), [x], [y]),
                   [[values_of(draw, "bool", dims)]])
