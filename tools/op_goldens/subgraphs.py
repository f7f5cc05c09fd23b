"""Writes `.tflite` models of several subgraphs: operators that call others, and variables that all of them share."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

import single_op


class Graph:
    """A subgraph that grows: tensors are named by the numbers that `add` gives."""

    def __init__(self):
        self.tensors, self.operators = [], []
        self.inputs, self.outputs = [], []

    def add(self, tensor):
        """A tensor that operators write, or a constant."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def input(self, tensor):
        """A tensor that the caller fills."""
        self.inputs.append(self.add(tensor))
        return self.inputs[-1]

    def op(self, name, options, inputs, outputs, version=1):
        """An operator, custom where `options` are bytes; `outputs` are new tensors, whose numbers come back (one as it is,
        several as a list)."""
        ids = [self.add(tensor) for tensor in outputs]
        self.operators.append((name, options, inputs, ids, version))
        return ids[0] if len(ids) == 1 else ids


def model(graphs):
    """The bytes of a model with these subgraphs; the first is the main one."""
    file = schema.ModelT()
    file.version = 3
    file.operatorCodes, file.subgraphs = [], []
    file.buffers = [single_op._AlignedBuffer(b"")]
    codes = []
    for graph in graphs:
        fields = schema.SubGraphT()
        fields.tensors, fields.operators = [], []
        for tensor in graph.tensors:
            buffer = 0
            if tensor.data is not None:
                buffer = len(file.buffers)
                file.buffers.append(single_op._AlignedBuffer(tensor.data.tobytes()))
            fields.tensors.append(single_op._tensor_fields(tensor, buffer))
        for name, options, inputs, outputs, version in graph.operators:
            if (name, version) not in codes:
                codes.append((name, version))
                code = schema.OperatorCodeT()
                custom = isinstance(options, bytes)
                code.builtinCode = schema.BuiltinOperator.CUSTOM if custom else getattr(schema.BuiltinOperator, name)
                code.customCode = name if custom else None
                code.deprecatedBuiltinCode = min(code.builtinCode, 127)
                code.version = version
                file.operatorCodes.append(code)
            operator = schema.OperatorT()
            operator.opcodeIndex = codes.index((name, version))
            operator.inputs, operator.outputs = list(inputs), list(outputs)
            if isinstance(options, bytes):
                operator.customOptions = list(options)
            elif options is not None and vars(options):
                table = type(options).__name__.removesuffix("T")
                operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)
                operator.builtinOptions = options
            fields.operators.append(operator)
        fields.inputs, fields.outputs = graph.inputs, graph.outputs
        file.subgraphs.append(fields)
    builder = flatbuffers.Builder(1024)
    builder.Finish(file.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def options(name, **fields):
    """The options table `name` of the schema with these fields."""
    table = getattr(schema, f"{name}T")()
    for field, value in fields.items():
        assert hasattr(table, field), f"{name} has no field {field}"
        setattr(table, field, value)
    return table
