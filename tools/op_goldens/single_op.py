"""Writes `.tflite` models of one operator, with quantization parameters that the caller chooses exactly.

A converter would pick the parameters itself; edge values (tiny scales, multipliers above one, zero points at the ends
of int8) need a file that is written field by field. The field classes are the ones that LiteRT generates from
TensorFlow Lite's `schema.fbs`.
"""

import dataclasses

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

DTYPES = {
    "float32": (schema.TensorType.FLOAT32, np.dtype("<f4")),
    "int8": (schema.TensorType.INT8, np.dtype("i1")),
    "uint8": (schema.TensorType.UINT8, np.dtype("u1")),
    "int16": (schema.TensorType.INT16, np.dtype("<i2")),
    "int32": (schema.TensorType.INT32, np.dtype("<i4")),
    "float16": (schema.TensorType.FLOAT16, np.dtype("<f2")),
    # Packed: `data` holds the bytes, and the shape is the tensor's.
    "int4": (schema.TensorType.INT4, np.dtype("u1")),
    "int64": (schema.TensorType.INT64, np.dtype("<i8")),
    "uint32": (schema.TensorType.UINT32, np.dtype("<u4")),
    "uint64": (schema.TensorType.UINT64, np.dtype("<u8")),
    "bool": (schema.TensorType.BOOL, np.dtype("?")),
    "resource": (schema.TensorType.RESOURCE, np.dtype("<i4")),
}

# Buffers start at multiples of this many bytes, as `force_align` asks in the schema.
BUFFER_ALIGNMENT = 16


@dataclasses.dataclass
class Tensor:
    """One tensor: `data` makes it a constant, `scales` with `zero_points` make it quantized."""

    dtype: str
    shape: tuple
    data: np.ndarray | None = None
    scales: list | None = None
    zero_points: list | None = None
    axis: int = 0
    # Keeps its content from run to run.
    variable: bool = False


def quantized(shape, scale, zero_point, dtype="int8"):
    """A tensor with one scale and one zero point for all its elements."""
    return Tensor(dtype, tuple(shape), scales=[scale], zero_points=[zero_point])


def constant(dtype, values, **quantization):
    """A constant tensor with the shape of `values`."""
    values = np.asarray(values, dtype=DTYPES[dtype][1])
    return Tensor(dtype, values.shape, data=values, **quantization)


class _AlignedBuffer(schema.BufferT):
    """A buffer whose bytes are aligned in the file; the generated class only aligns their length."""

    def __init__(self, data):
        super().__init__()
        self.bytes = data

    def Pack(self, builder):
        vector = None
        if self.bytes:
            builder.StartVector(1, len(self.bytes), BUFFER_ALIGNMENT)
            builder.head -= len(self.bytes)
            builder.Bytes[builder.head : builder.head + len(self.bytes)] = self.bytes
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)


@dataclasses.dataclass
class Encoded:
    """A constant that a DECODE operator of TFLM's gives: `tensor` without data, what it is decoded from, and how."""

    tensor: Tensor
    encoded: np.ndarray
    description: np.ndarray


def _tensor_fields(tensor, buffer_index):
    fields = schema.TensorT()
    fields.type = DTYPES[tensor.dtype][0]
    fields.shape = [int(d) for d in tensor.shape]
    fields.buffer = buffer_index
    fields.isVariable = tensor.variable
    if tensor.scales is not None:
        quantization = schema.QuantizationParametersT()
        quantization.scale = [float(np.float32(s)) for s in tensor.scales]
        quantization.zeroPoint = [int(z) for z in tensor.zero_points]
        quantization.quantizedDimension = tensor.axis
        fields.quantization = quantization
    return fields


def model(op, options, inputs, outputs, version=1):
    """The bytes of a model with the single operator `op` (its name in the schema's `BuiltinOperator`).

    `options` is the schema's options object or None; an input that is None becomes the index -1, "not given". The
    model's inputs are the operator's non-constant inputs, in order. Where `options` are bytes, `op` is the name of a
    custom operator.
    """
    file = schema.ModelT()
    file.version = 3
    code = schema.OperatorCodeT()
    custom = isinstance(options, bytes)
    code.builtinCode = schema.BuiltinOperator.CUSTOM if custom else getattr(schema.BuiltinOperator, op)
    code.customCode = op if custom else None
    # One byte holds the older codes; 127 stands for the others.
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = version
    file.operatorCodes = [code]
    file.buffers = [_AlignedBuffer(b"")]

    graph = schema.SubGraphT()
    graph.tensors = []

    def add(tensor):
        if tensor is None:
            return -1
        buffer_index = 0
        if tensor.data is not None:
            buffer_index = len(file.buffers)
            file.buffers.append(_AlignedBuffer(tensor.data.tobytes()))
        graph.tensors.append(_tensor_fields(tensor, buffer_index))
        return len(graph.tensors) - 1

    graph.operators = []
    for place, encoded in enumerate(inputs):
        if isinstance(encoded, Encoded):
            decode = schema.OperatorT()
            decode.opcodeIndex = 1
            decode.inputs = [add(constant("uint8", part)) for part in (encoded.encoded, encoded.description)]
            decode.outputs = [add(encoded.tensor)]
            graph.operators.append(decode)
            inputs = [*inputs[:place], decode.outputs[0], *inputs[place + 1:]]
            decode_code = schema.OperatorCodeT()
            decode_code.builtinCode = decode_code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
            decode_code.customCode = "TFLM_DECODE"
            decode_code.version = 1
            file.operatorCodes.append(decode_code)

    operator = schema.OperatorT()
    operator.inputs = [t if isinstance(t, int) else add(t) for t in inputs]
    operator.outputs = [add(t) for t in outputs]
    # A table without fields says nothing.
    if custom:
        operator.customOptions = list(options)
    elif options is not None and vars(options):
        name = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        operator.builtinOptions = options
    graph.operators.append(operator)
    graph.inputs = [
        i
        for i, t in zip(operator.inputs, inputs)
        if isinstance(t, Tensor) and t.data is None and not t.variable
    ]
    graph.outputs = operator.outputs
    file.subgraphs = [graph]

    builder = flatbuffers.Builder(1024)
    builder.Finish(file.Pack(builder), b"TFL3")
    return bytes(builder.Output())
