"""LOGICAL_AND, with and without broadcasting."""

from ai_edge_litert import schema_py_generated as schema

from cases.binary import pair, shapes_for


def cases():
    for name, left, right in shapes_for(True):
        yield pair("logical_and", "LOGICAL_AND", schema.LogicalAndOptionsT(), "bool", name, left, right)
