"""STRIDED_SLICE with constant begin, end and strides."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model, quantized

import numpy as np


def output_shape(dims, begin, end, strides, begin_mask, end_mask, shrink):
    result = []
    for i, size in enumerate(dims):
        if shrink >> i & 1:
            continue
        low = None if begin_mask >> i & 1 else begin[i]
        high = None if end_mask >> i & 1 else end[i]
        result.append(len(range(*slice(low, high, strides[i]).indices(size))))
    return tuple(result)


def strided_slice(dtype, name, dims, begin, end, strides, *, begin_mask=0, end_mask=0, shrink=0):
    name = f"{dtype}_{name}"
    draw = Draw(f"strided_slice/{name}")
    fields = schema.StridedSliceOptionsT()
    fields.beginMask, fields.endMask, fields.shrinkAxisMask = begin_mask, end_mask, shrink
    y_shape = output_shape(dims, begin, end, strides, begin_mask, end_mask, shrink)
    if dtype == "int8":
        x, y, values = quantized(dims, 0.1, 3), quantized(y_shape, 0.1, 3), draw.integers(dims, -128, 127)
    elif dtype == "int32":
        x, y = Tensor(dtype, dims), Tensor(dtype, y_shape)
        values = draw.integers(dims, -(2**31), 2**31 - 1, np.int32)
    else:
        x, y, values = tensor_of(dtype, dims), tensor_of(dtype, y_shape), values_of(draw, dtype, dims)
    inputs = [x, constant("int32", begin), constant("int32", end), constant("int32", strides)]
    return Case(name, model("STRIDED_SLICE", fields, inputs, [y], version=2 if dtype == "int8" else 1), [[values]])


# Name, input shape, begin, end, strides, and masks where they are not zero.
SLICES = [
    ("rank1", (9,), [2], [7], [1], {}),
    ("rank1_step3", (10,), [1], [10], [3], {}),
    ("rank1_reversed", (6,), [5], [0], [-1], {}),
    ("rank1_reversed_all", (6,), [0], [0], [-1], {"begin_mask": 1, "end_mask": 1}),
    ("rank1_reversed_step2", (7,), [-1], [-8], [-2], {}),
    ("rank1_negative_indices", (9,), [-6], [-1], [1], {}),
    ("rank1_end_beyond", (5,), [2], [100], [1], {}),
    ("rank1_begin_before", (5,), [-100], [3], [1], {}),
    ("rank1_shrink_to_scalar", (5,), [3], [4], [1], {"shrink": 1}),
    ("rank1_shrink_negative", (5,), [-1], [0], [1], {"shrink": 1}),
    ("rank2", (4, 5), [1, 1], [3, 5], [1, 2], {}),
    ("rank2_shrink_first", (4, 5), [2, 0], [3, 5], [1, 1], {"shrink": 1}),
    ("rank2_shrink_last", (4, 5), [0, 4], [4, 5], [1, 1], {"shrink": 2}),
    ("rank2_begin_mask", (4, 5), [3, 1], [4, 4], [1, 1], {"begin_mask": 1}),
    ("rank2_end_mask", (4, 5), [1, 1], [1, 1], [1, 1], {"end_mask": 3}),
    ("rank3", (2, 3, 4), [0, 1, 1], [2, 3, 3], [1, 1, 1], {}),
    ("rank4", (1, 4, 3, 2), [0, 1, 0, 1], [1, 4, 3, 2], [1, 2, 2, 1], {}),
    ("rank4_mixed_directions", (2, 3, 4, 2), [0, 2, 0, 1], [2, 0, 4, 2], [1, -1, 2, 1], {}),
    ("rank4_all_masks", (2, 2, 3, 2), [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], {"begin_mask": 15, "end_mask": 15}),
]


def cases():
    for *place, masks in SLICES:
        yield strided_slice("int8", *place, **masks)
    # Only the size of an element differs for the other types.
    for dtype in ("float32", "int32", "int16", "bool"):
        for *place, masks in SLICES:
            if dtype in ("int16", "bool") and place[0] != "rank4_mixed_directions":
                continue
            if place[0] in ("rank1_step3", "rank1_shrink_to_scalar", "rank2_shrink_last", "rank4_mixed_directions"):
                yield strided_slice(dtype, *place, **masks)
