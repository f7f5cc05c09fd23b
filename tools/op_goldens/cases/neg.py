"""NEG of float32."""

from ai_edge_litert import schema_py_generated as schema

from cases import unary


def cases():
    return unary.of_floats("neg", "NEG", schema.NegOptionsT(), -9.0, 9.0, (0.0, -1.0, 1.0e30))
