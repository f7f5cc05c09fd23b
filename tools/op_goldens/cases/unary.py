"""What the operators on one input share."""

from case import INT16_MAX, INT16_MIN, Case, Draw, int16_records
from cases.weighted import EVERY_INT8
from single_op import Tensor, model, quantized

import numpy as np


def of_floats(operator, op, fields, low, high, special=()):
    """Cases on float32 from `low` to `high`, and on special values."""
    for name, dims in (("rank1", (9,)), ("rank2", (2, 30)), ("rank4", (2, 3, 2, 3))):
        draw = Draw(f"{operator}/{name}")
        x, y = Tensor("float32", dims), Tensor("float32", dims)
        yield Case(f"float32_{name}", model(op, fields, [x], [y]), [[draw.floats(dims, low, high)]])
    draw = Draw(f"{operator}/narrow")
    middle, eighth = (low + high) / 2, (high - low) / 8
    narrow = draw.floats((1, 24), middle - eighth, middle + eighth)
    x, y = Tensor("float32", narrow.shape), Tensor("float32", narrow.shape)
    yield Case("float32_narrow", model(op, fields, [x], [y]), [[narrow]])
    values = np.array([special or (low, high, middle)], np.float32)
    x, y = Tensor("float32", values.shape), Tensor("float32", values.shape)
    yield Case("float32_special", model(op, fields, [x], [y]), [[values]])


def of_int8(op, fields, name, source, target, *, lowest=-128, version=1):
    """A case on every int8 that is not below `lowest`."""
    values = EVERY_INT8.reshape(-1)
    values = values[values >= lowest].reshape(1, -1)
    x, y = quantized(values.shape, *source), quantized(values.shape, *target)
    return Case(f"int8_{name}", model(op, fields, [x], [y], version=version), [[values]])


def of_int16(operator, op, fields, name, source, target, *, lowest=INT16_MIN, version=1):
    """A case on int16 that are not below `lowest`, the ends among them."""
    draw = Draw(f"{operator}/int16_{name}")
    shape = (1, 48)
    records = [[np.maximum(record[0], lowest).astype(np.int16)] for record in int16_records(draw, shape)]
    records[0][0].flat[:4] = [lowest, INT16_MAX, max(lowest, 0), max(lowest, 1)]
    x, y = quantized(shape, source, 0, "int16"), quantized(shape, target, 0, "int16")
    return Case(f"int16_{name}", model(op, fields, [x], [y], version=version), records)
