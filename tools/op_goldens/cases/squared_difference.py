"""SQUARED_DIFFERENCE, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import edges, pair, shapes_for


def cases():
    fields = schema.SquaredDifferenceOptionsT()
    for dtype in ("int8", "int16", "float32", "int32"):
        rest = {"version": 2 if dtype == "int8" else 1}
        if dtype == "int32":
            rest |= {"low": -20000, "high": 20000}
        for name, left, right in shapes_for(dtype == "int8"):
            yield pair("squared_difference", "SQUARED_DIFFERENCE", fields, dtype, name, left, right,
                       scales=((0.05, -4), (0.031, 12), (0.4, -100)), **rest)
    for dtype in ("int8", "int16"):
        yield from edges("squared_difference", "SQUARED_DIFFERENCE", fields, dtype, version=2,
                         output_scale=lambda left, right: max(left, right) ** 2 * (200.0 if dtype == "int8" else 70000.0))
