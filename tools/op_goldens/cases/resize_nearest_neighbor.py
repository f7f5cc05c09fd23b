"""RESIZE_NEAREST_NEIGHBOR."""

from ai_edge_litert import schema_py_generated as schema

from cases import resize


def cases():
    return resize.cases_of("resize_nearest_neighbor", "RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT,
                           ("int8", "int16", "float32"))
