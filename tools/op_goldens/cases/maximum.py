"""MAXIMUM, with and without broadcasting: all three tensors have one scale."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import pair, shapes_for

ONE_SCALE = ((0.1, 3), (0.1, 3), (0.1, 3))


def cases_of(operator, op):
    for dtype in ("int8", "int16", "float32", "int32", "int64"):
        for name, left, right in shapes_for(dtype == "int8"):
            yield pair(operator, op, schema.MaximumMinimumOptionsT(), dtype, name, left, right, scales=ONE_SCALE,
                       version={"int8": 2, "int16": 3}.get(dtype, 1))


def cases():
    return cases_of("maximum", "MAXIMUM")
