"""ADD_N of two and more tensors."""

from case import Case, Draw, tensor_of, values_of
from single_op import model


# Name, shape, number of tensors.
SUMS = [("two", (5,), 2), ("three", (2, 3), 3), ("rank4", (1, 2, 3, 2), 4), ("six", (7,), 6), ("rank3", (2, 1, 3), 2)]


def cases():
    for dtype in ("float32", "int8"):
        for name, dims, count in SUMS:
            name = f"{dtype}_{name}"
            draw = Draw(f"add_n/{name}")
            inputs = [tensor_of(dtype, dims) for _ in range(count)]
            yield Case(name, model("ADD_N", None, inputs, [tensor_of(dtype, dims, 0.21, -9)]),
                       [[values_of(draw, dtype, dims) for _ in range(count)]])
