"""RELU6: in int8 TFLM clamps the stored value, so input and output have the same parameters."""

from case import Case, Draw, int16_records
from cases.weighted import EVERY_INT8
from single_op import Tensor, model, quantized

# Name, scale, zero point. Six must lie inside int8: TFLM refuses the operator otherwise.
PARAMETERS = [
    ("six_in_the_middle", 0.1, 0),
    ("six_is_127", 6 / 255, -128),
    ("six_rounds_half_up", 4.0, 0),
    ("zero_below", 0.2, -100),
    ("negative_scale_range", 0.5, 100),
    ("zero_point_low", 0.05, -128),
    ("coarse", 2.0, 3),
]


def cases():
    for name, scale, zero_point in PARAMETERS:
        x, y = quantized((1, 256), scale, zero_point), quantized((1, 256), scale, zero_point)
        yield Case(f"int8_{name}", model("RELU6", None, [x], [y], version=2), [[EVERY_INT8.reshape(1, 256)]])
    for name, dims in [("rank1", (9,)), ("rank4", (2, 3, 2, 3))]:
        draw = Draw(f"relu6/{name}")
        x, y = Tensor("float32", dims), Tensor("float32", dims)
        yield Case(f"float32_{name}", model("RELU6", None, [x], [y]), [[draw.floats(dims, -4.0, 12.0)]])
        x, y = quantized(dims, 0.1, 7), quantized(dims, 0.1, 7)
        yield Case(f"int8_{name}", model("RELU6", None, [x], [y], version=2), [[draw.integers(dims, -128, 127)]])
    for name, scale in [("six_in_the_middle", 0.0003), ("coarse", 0.5)]:
        draw = Draw(f"relu6/int16_{name}")
        x, y = quantized((1, 40), scale, 0, "int16"), quantized((1, 40), scale, 0, "int16")
        yield Case(f"int16_{name}", model("RELU6", None, [x], [y], version=3), int16_records(draw, (1, 40)))
