"""What the cases of the signal library's operators share: their options are FlexBuffers maps, their names begin with Signal."""

from flatbuffers import flexbuffers

import numpy as np

from case import Case
from single_op import Tensor, model
from subgraphs import Graph, model as several

# The numbers of types in TensorFlow Lite's schema, which the option T holds.
TYPES = {"float32": 0, "int32": 2, "int16": 7}


def options(**fields):
    """The bytes of an options map; its keys come in the order of the alphabet, which TFLM counts on."""
    return bytes(flexbuffers.Dumps(dict(sorted(fields.items()))))


def case(operator, name, fields, inputs, outputs, records):
    """A model of one operator; `inputs` and `outputs` are tensors, or (type, shape)."""
    tensors = [[Tensor(*t) if isinstance(t, tuple) else t for t in side] for side in (inputs, outputs)]
    # Some operators have no options at all; these still are custom ones.
    return Case(name, model(f"Signal{operator}", options(**fields), *tensors), records)


def case_where_valid(operator, name, fields, input_tensor, outputs, records):
    """A model of an operator whose second output says whether the first is complete: TFLM leaves the first as it is where it is
    not, so that a SELECT_V2 puts zeros there."""
    main = Graph()
    x = main.input(Tensor(*input_tensor))
    dtype, shape = outputs[0]
    value, valid = main.op(f"Signal{operator}", options(**fields), [x], [Tensor(*output) for output in outputs])
    zeros = main.add(Tensor(dtype, shape, data=np.zeros(shape, np.dtype(dtype))))
    chosen = main.op("SELECT_V2", None, [valid, value, zeros], [Tensor(dtype, shape)])
    main.outputs = [chosen, valid]
    return Case(name, several([main]), records)


def samples(draw, shape, runs, most=32767, dtype=np.int16):
    """Records of one int tensor each, of which the first has small numbers and the last both ends of the type."""
    records = []
    for run in range(runs):
        reach = max(1, most * (run + 1) // runs)
        values = draw.integers(shape, -reach - 1, reach, np.int64)
        if run == runs - 1 and values.size > 1:
            values.flat[0], values.flat[-1] = -most - 1, most
        records.append([values.astype(dtype)])
    return records
