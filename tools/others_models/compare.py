"""Runs .tflite models of others in ember-lite and in TFLM or LiteRT, on random inputs, and says what became of each.

    python compare.py XTASK SOURCE...

XTASK is the program of `cargo build --release --package xtask`. A SOURCE is a .tflite file, a folder, or a git directory, whose
last commit's files are taken. Nothing is kept. A model must compute what TFLM computes or, where TFLM refuses it or computes
something else than LiteRT, what LiteRT's builtin kernels compute. Integers are compared to the byte; floats may differ by 1e-5 of the largest one. Ends with exit status 1
when a model computes something else, or one that the other engine runs is refused.
"""

import argparse
import collections
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_micro import runtime

ROUNDS = 3
TOLERANCE = 1e-5
ARENA_BYTES = 16 << 20


def models(source):
    """Names and bytes of the models in a source, each once."""
    if source.is_file():
        yield source.name, source.read_bytes()
    elif (source / "HEAD").is_file():
        git = ["git", f"--git-dir={source}"]
        files = subprocess.run([*git, "ls-tree", "-rz", "--name-only", "HEAD"], capture_output=True, check=True)
        for name in files.stdout.decode().split("\0"):
            if name.endswith(".tflite"):
                yield name, subprocess.run([*git, "show", f"HEAD:{name}"], capture_output=True, check=True).stdout
    else:
        for path in sorted(source.rglob("*.tflite")):
            yield str(path.relative_to(source)), path.read_bytes()


def draw(random, detail):
    """Random elements for an input: every integer, floats from -1 to 1."""
    shape, dtype = [max(size, 1) for size in detail["shape"]], np.dtype(detail["dtype"])
    if dtype == np.bool_:
        return random.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, endpoint=True, dtype=dtype)
    return random.uniform(-1, 1, shape).astype(dtype)


class Litert:
    name = "LiteRT"

    def __init__(self, content):
        resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.engine = Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=resolver)
        self.engine.allocate_tensors()
        self.content = content
        self.details = self.engine.get_input_details()
        self.outputs = len(self.engine.get_output_details())

    def anew(self):
        return Litert(self.content)

    def run(self, inputs):
        for detail, value in zip(self.details, inputs):
            self.engine.set_tensor(detail["index"], value)
        self.engine.invoke()
        return [self.engine.get_tensor(detail["index"]) for detail in self.engine.get_output_details()]


class Tflm:
    name = "TFLM"

    def __init__(self, content):
        self.engine = runtime.Interpreter.from_bytes(content, arena_size=ARENA_BYTES)
        graph = schema.Model.GetRootAsModel(content, 0).Subgraphs(0)
        self.content, self.outputs = content, graph.OutputsLength()
        self.details = [self.engine.get_input_details(index) for index in range(graph.InputsLength())]

    def anew(self):
        return Tflm(self.content)

    def run(self, inputs):
        for index, value in enumerate(inputs):
            self.engine.set_input(value, index)
        self.engine.invoke()
        return [np.array(self.engine.get_output(index)) for index in range(self.outputs)]


def survives(attempt):
    """Whether this ends well, tried in a copy of the process: TFLM may end the one it is in."""
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            attempt()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def engines(content):
    """Those that load the model, in the order in which they are asked, what its inputs are, and why LiteRT does not."""
    litert, tflm, refused = None, None, None
    try:
        litert = Litert(content)
    except (ValueError, RuntimeError) as error:
        refused = str(error).strip().splitlines()[-1]
    if survives(lambda: runtime.Interpreter.from_bytes(content, arena_size=ARENA_BYTES).invoke()):
        tflm = Tflm(content)
    found = [engine for engine in (tflm, litert) if engine]
    return found, (litert or tflm).details if found else None, refused


def ember(xtask, content, inputs, outputs):
    """The outputs' bytes, or the error."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "model.tflite").write_bytes(content)
        command = [xtask, "model", "run", folder / "model.tflite", "--quiet"]
        for index, value in enumerate(inputs):
            (folder / f"in{index}").write_bytes(value.tobytes())
            command += ["--input", folder / f"in{index}"]
        for index in range(outputs):
            command += ["--output", folder / f"out{index}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()[-1]
            said = said.replace(str(folder / "model.tflite"), "the model")
            return None, said.removeprefix("error: ").removeprefix("the model: ")
        return [(folder / f"out{index}").read_bytes() for index in range(outputs)], None


def worst(got, wanted):
    """How far bytes are from an array: 0 where equal, of the largest number for floats, of a step for integers."""
    got = np.frombuffer(got, wanted.dtype)
    if got.size != wanted.size:
        return np.inf
    if wanted.dtype.kind != "f":
        return float(np.abs(got.astype(np.int64) - wanted.ravel().astype(np.int64)).max(initial=0))
    if not np.array_equal(np.isfinite(got), np.isfinite(wanted.ravel())):
        return np.inf
    finite = np.isfinite(got)
    got, wanted = got[finite], wanted.ravel()[finite]
    largest = max(float(np.abs(wanted).max(initial=0)), 1.0)
    return float(np.abs(got - wanted).max(initial=0)) / largest


def distance(engine, rounds, ours):
    """How far our outputs are from an engine's, at most, and whether there are floats among them."""
    far, is_float = 0.0, False
    for number, (values, results) in enumerate(zip(rounds, ours)):
        # Every run of ours begins without a state, so every one of theirs does.
        engine = engine if number == 0 else engine.anew()
        for got, array in zip(results, engine.run(values)):
            far = max(far, worst(got, array))
            is_float |= array.dtype.kind == "f"
    return far, is_float


def outcome(xtask, content):
    """What became of a model: a word for the count, and the line."""
    if content[4:8] != b"TFL3":
        return "no model", "not a .tflite file (a pointer to one, or damaged)"
    found, inputs, theirs = engines(content)
    if not found:
        _, ours = ember(xtask, content, [np.zeros(0, np.int8)], 1)
        return "refused by all", f"LiteRT and TFLM refuse it ({theirs}), and so does Ember: {ours}"
    outputs = found[0].outputs
    random = np.random.default_rng(1)
    rounds = [[draw(random, detail) for detail in inputs] for _ in range(ROUNDS)]
    ours = []
    for values in rounds:
        results, error = ember(xtask, content, values, outputs)
        if error is not None:
            return "refused", error
        ours.append(results)
    said = []
    for engine in found:
        try:
            far, is_float = distance(engine, rounds, ours)
        except (ValueError, RuntimeError):
            said.append(f"{engine.name} does not run it on random inputs")
            continue
        if far == 0:
            return "equal", "; ".join([f"equal to {engine.name}, to the byte", *said])
        if is_float and far <= TOLERANCE:
            return "equal", "; ".join([f"within {far:.1e} of {engine.name}", *said])
        said.append(f"differs from {engine.name} by {far:g}")
    return "DIFFERENT", "; ".join(said)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("xtask", type=pathlib.Path)
    parser.add_argument("sources", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    counts = collections.Counter()
    for source in arguments.sources:
        for name, content in models(source):
            word, line = outcome(arguments.xtask.resolve(), content)
            counts[word] += 1
            print(f"{name}: {line}", flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.most_common()))
    sys.exit(counts["DIFFERENT"] + counts["refused"] > 0)


if __name__ == "__main__":
    main()
