"""What the operators that move elements share: a case of some tensors, constants among them."""

from case import Case, Draw, tensor_of, values_of
from single_op import Tensor, constant, model

import numpy as np

# Only the size of an element differs between types: the first sees every case, these see some.
OTHER_TYPES = ("float32", "int16", "int32")


def move(operator, op, fields, dtype, name, dims, constants, outputs, *, first=False, version=1, scale=0.1, zero_point=3):
    """A case of `op` on one tensor that is given, and on constants of int32, before it or (as usual) behind it."""
    name = f"{dtype}_{name}"
    draw = Draw(f"{operator}/{name}")
    x = tensor_of(dtype, dims, scale, zero_point)
    others = [values if not isinstance(values, (list, int)) else constant("int32", values) for values in constants]
    inputs = [*others, x] if first else [x, *others]
    results = [tensor_of(dtype, shape, scale, zero_point) for shape in outputs]
    return Case(name, model(op, fields, inputs, results, version=version), [[values_of(draw, dtype, dims)]])


def move_at(operator, op, fields, dtype, name, dims, given, outputs, *, numbers="int32", last=(), version=1, scale=0.1,
            zero_point=3):
    """A case of `op` on one tensor and on numbers that come as inputs, too; `last` are constants behind them."""
    name = f"{dtype}_{name}"
    draw = Draw(f"{operator}/{name}")
    arrays = [np.array(values, dtype=numbers) for values in given]
    inputs = [tensor_of(dtype, dims, scale, zero_point), *[Tensor(numbers, array.shape) for array in arrays],
              *[constant("int32", values) for values in last]]
    results = [tensor_of(dtype, shape, scale, zero_point) for shape in outputs]
    return Case(name, model(op, fields, inputs, results, version=version), [[values_of(draw, dtype, dims), *arrays]])
