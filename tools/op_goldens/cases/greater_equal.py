"""GREATER_EQUAL, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from cases import comparisons


def cases():
    return comparisons.cases_of("greater_equal", "GREATER_EQUAL", schema.GreaterEqualOptionsT())
