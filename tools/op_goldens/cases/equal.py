"""EQUAL, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from cases import comparisons


def cases():
    return comparisons.cases_of("equal", "EQUAL", schema.EqualOptionsT(), ("int8", "float32", "int32", "int64", "bool"))
