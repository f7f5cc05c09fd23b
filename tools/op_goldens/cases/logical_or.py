"""LOGICAL_OR, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import pair, shapes_for


def cases():
    for name, left, right in shapes_for(True):
        yield pair("logical_or", "LOGICAL_OR", schema.LogicalOrOptionsT(), "bool", name, left, right)
