"""RESIZE_BILINEAR."""

from ai_edge_litert import schema_py_generated as schema

from cases import resize


def cases():
    return resize.cases_of("resize_bilinear", "RESIZE_BILINEAR", schema.ResizeBilinearOptionsT, ("int8", "float32"))
