"""Runs a model in the two engines that the goldens stand on: TFLM's reference kernels and LiteRT's builtin kernels."""

import contextlib
import multiprocessing
import os
import signal
import tempfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter as LiteRt
from ai_edge_litert.interpreter import OpResolverType
from tflite_micro.python.tflite_micro import runtime as tflm

# Enough for every case here; TFLM does not grow its arena.
ARENA_BYTES = 1 << 20


class Refused(Exception):
    """The engine does not take the model; the text is the engine's own reason."""


@contextlib.contextmanager
def _captured_stderr():
    """Collects what C++ code prints to file descriptor 2: both engines say there why they refuse a model."""
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        text = []
        try:
            yield text
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            text.append(file.read().decode(errors="replace"))


def _reason(text, error):
    lines = [l.strip() for l in text[0].splitlines() if l.strip() and not l.startswith(("INFO", "W0", "I0"))]
    # One line, whatever the engine says: it becomes a column of a table.
    return lines[0] if lines else str(error).splitlines()[0]


def _tflm(model, records):
    outputs = schema.Model.GetRootAs(model).Subgraphs(0).OutputsLength()
    with _captured_stderr() as text:
        try:
            interpreter = tflm.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
            results = []
            for record in records:
                for index, array in enumerate(record):
                    interpreter.set_input(array, index)
                interpreter.invoke()
                results.append([np.array(interpreter.get_output(index)) for index in range(outputs)])
            return results
        except (RuntimeError, ValueError) as error:
            failure = error
    raise Refused(_reason(text, failure))


def _litert(model, records):
    with _captured_stderr() as text:
        try:
            interpreter = LiteRt(
                model_content=model,
                num_threads=1,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            interpreter.allocate_tensors()
            details = interpreter.get_input_details()
            results = []
            for record in records:
                for detail, array in zip(details, record):
                    interpreter.set_tensor(detail["index"], array)
                interpreter.invoke()
                results.append([interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()])
            return results
        except (RuntimeError, ValueError) as error:
            failure = error
    raise Refused(_reason(text, failure))


def _answer(connection, engine, model, records):
    try:
        connection.send((engine(model, records), None))
    except Refused as refusal:
        connection.send((None, str(refusal)))


def _isolated(engine, model, records):
    """Runs an engine in a process of its own: some models that one engine takes make the other crash."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(sender, engine, model, records))
    child.start()
    sender.close()
    try:
        outputs, refusal = receiver.recv()
    except EOFError:
        outputs, refusal = None, None
    child.join()
    if child.exitcode != 0:
        raise Refused(f"crashes with {signal.Signals(-child.exitcode).name}")
    if refusal is not None:
        raise Refused(refusal)
    return outputs


def run_tflm(model, records):
    """Outputs of TFLM for each record (a list of arrays, one per model input)."""
    return _isolated(_tflm, model, records)


def run_litert(model, records):
    """Outputs of LiteRT's builtin kernels, without XNNPACK or any other default delegate."""
    return _isolated(_litert, model, records)
