"""PADV2 by constant paddings with a value."""

from ai_edge_litert import schema_py_generated as schema

from cases.moves import OTHER_TYPES, move
from cases.pad import PADDINGS, shape_of
from case import tensor_of
from single_op import constant

VALUES = {"int8": 77, "int16": -3000, "int32": 123456, "float32": -2.5}


def cases():
    for dtype in ("int8", *OTHER_TYPES):
        for name, dims, paddings in PADDINGS:
            if dtype == "int8" or name in ("rank3", "image"):
                like = tensor_of(dtype, (1,))
                value = constant(dtype, [VALUES[dtype]], scales=like.scales, zero_points=like.zero_points)
                yield move("padv2", "PADV2", schema.PadV2OptionsT(), dtype, name, dims, [paddings, value],
                           [shape_of(dims, paddings)], version=2)
