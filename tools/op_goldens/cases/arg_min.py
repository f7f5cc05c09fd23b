"""ARG_MIN along a constant axis, as int32; the first of equal elements counts."""

from ai_edge_litert import schema_py_generated as schema

from cases import arg_max


def cases():
    return arg_max.cases_of("arg_min", "ARG_MIN", schema.ArgMinOptionsT)
