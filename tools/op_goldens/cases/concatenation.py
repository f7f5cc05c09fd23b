"""CONCATENATION along each dimension."""

from ai_edge_litert import schema_py_generated as schema

from case import Case, Draw, tensor_of, values_of
from single_op import constant, model

# Name, inputs, axis.
INPUTS = [
    ("rank1", [(3,), (5,)], 0),
    ("rows", [(2, 3), (1, 3), (2, 3)], 0),
    ("columns", [(2, 3), (2, 1), (2, 4)], 1),
    ("last_axis", [(1, 2, 3, 2), (1, 2, 3, 5)], -1),
    ("middle_axis", [(2, 1, 3), (2, 3, 3)], 1),
    ("many", [(1, 2)] * 9, 0),
    ("one_input", [(2, 3)], 1),
]


def concatenation(dtype, name, shapes, axis, constants=()):
    name = f"{dtype}_{name}"
    draw = Draw(f"concatenation/{name}")
    fields = schema.ConcatenationOptionsT()
    fields.axis = axis
    result = list(shapes[0])
    result[axis] = sum(shape[axis] for shape in shapes)
    inputs, record = [], []
    for index, shape in enumerate(shapes):
        values, tensor = values_of(draw, dtype, shape), tensor_of(dtype, shape)
        if index in constants:
            tensor = constant(dtype, values, scales=tensor.scales, zero_points=tensor.zero_points)
        else:
            record.append(values)
        inputs.append(tensor)
    return Case(name, model("CONCATENATION", fields, inputs, [tensor_of(dtype, result)], version=2), [record])


def cases():
    for dtype in ("int8", "int16", "float32", "int32", "int64", "bool"):
        for name, shapes, axis in INPUTS:
            if dtype == "int8" or name in ("columns", "last_axis"):
                yield concatenation(dtype, name, shapes, axis)
    yield concatenation("int8", "constants_among_inputs", [(2, 3), (2, 2), (2, 4)], 1, constants=(1,))
