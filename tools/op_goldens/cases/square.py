"""SQUARE of float32."""

from ai_edge_litert import schema_py_generated as schema

from cases import unary


def cases():
    return unary.of_floats("square", "SQUARE", schema.SquareOptionsT(), -30.0, 30.0, (0.0, -1.0, 1.0e10, 1.0e-10))
