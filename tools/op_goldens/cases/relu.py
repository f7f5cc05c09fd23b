"""RELU: in int8 input and output may have different parameters."""

from case import Case, Draw, float_records, int16_records
from cases.weighted import EVERY_INT8
from single_op import Tensor, model, quantized

# Name, input (scale, zero point), output (scale, zero point).
PARAMETERS = [
    ("same", (0.05, -4), (0.05, -4)),
    ("output_from_zero", (0.05, -4), (0.025, -128)),
    ("finer_output_saturates", (0.05, 10), (0.01, 0)),
    ("coarser_output_ties", (0.25, 0), (0.5, 0)),
    ("input_low", (0.03, -128), (0.04, -128)),
    ("input_high", (0.03, 100), (0.03, -128)),
    ("output_high", (0.03, 0), (0.03, 90)),
    ("tiny_ratio", (1.0e-6, 3), (1.0, -3)),
    ("ratio_rounds_in_float32", (0.1, 0), (0.3, -20)),
]


def cases():
    for name, source, target in PARAMETERS:
        x, y = quantized((1, 256), *source), quantized((1, 256), *target)
        yield Case(f"int8_{name}", model("RELU", None, [x], [y], version=2), [[EVERY_INT8.reshape(1, 256)]])
    for name, dims in [("rank1", (9,)), ("rank4", (2, 3, 2, 3))]:
        draw = Draw(f"relu/{name}")
        x, y = Tensor("float32", dims), Tensor("float32", dims)
        yield Case(f"float32_{name}", model("RELU", None, [x], [y]), float_records(draw, dims))
        x, y = quantized(dims, 0.1, 7), quantized(dims, 0.06, -128)
        yield Case(f"int8_{name}", model("RELU", None, [x], [y], version=2), [[draw.integers(dims, -128, 127)]])
    for name, source, target in [("same", 0.05, 0.05), ("finer_output_saturates", 0.05, 0.01), ("ties", 0.25, 0.5),
                                 ("ratio_rounds_in_float32", 0.1, 0.3)]:
        draw = Draw(f"relu/int16_{name}")
        x, y = quantized((1, 40), source, 0, "int16"), quantized((1, 40), target, 0, "int16")
        yield Case(f"int16_{name}", model("RELU", None, [x], [y], version=3), int16_records(draw, (1, 40)))
