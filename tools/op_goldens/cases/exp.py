"""EXP of float32."""

from ai_edge_litert import schema_py_generated as schema

from cases import unary


def cases():
    return unary.of_floats("exp", "EXP", schema.ExpOptionsT(), -10.0, 10.0, (0.0, 1.0, -1.0, -80.0, 80.0, 1.0e-5))
