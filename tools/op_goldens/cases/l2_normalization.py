"""L2_NORMALIZATION along the last dimension."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import model, quantized

import numpy as np


def cases():
    fields = schema.L2NormOptionsT()
    for dtype in ("float32", "int8"):
        for name, dims in (("rank1", (9,)), ("rank2", (3, 5)), ("rank4", (1, 2, 3, 4))):
            draw = Draw(f"l2_normalization/{dtype}_{name}")
            x, y = tensor_of(dtype, dims, 0.1, 5), tensor_of(dtype, dims, 1 / 128, 0)
            yield Case(f"{dtype}_{name}", model("L2_NORMALIZATION", fields, [x], [y], version=2),
                       [[values_of(draw, dtype, dims)]])
    small = np.array([[1, 0, 0, 0], [2, 0, 1, 0], [3, -1, 1, 2], [-128, 127, 0, 5], [7, 7, 7, 7]], np.int8)
    yield Case("int8_small", model("L2_NORMALIZATION", fields, [quantized(small.shape, 0.5, 0)],
                                   [quantized(small.shape, 1 / 128, 0)], version=2), [[small]])
    tiny = np.array([[1.0e-9, 2.0e-9], [0.0, 3.0], [0.0, 0.0]], np.float32)
    x = tensor_of("float32", tiny.shape)
    yield Case("float32_tiny", model("L2_NORMALIZATION", fields, [x], [x]), [[tiny]])
