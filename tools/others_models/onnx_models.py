"""Runs ONNX models of others in Ember, and says what became of each.

    python onnx_models.py RUN_ONNX [SOURCE...]

RUN_ONNX is the program of `cargo build --release --package ember-onnx --example run_onnx`. A SOURCE is an .onnx file, a folder or
a git directory, whose last commit's files are taken; without one, the test data of the `onnx` package are taken, which come
with inputs and outputs. Other models get random inputs, and ONNX's reference evaluator says what they must compute. Only models
on real numbers whose shapes are known are tried; of an open dimension, 1 is taken. Weights that a file has as inputs become
constants. Ends with exit status 1 when a model computes
something else. Nothing is kept.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.backend.test
from onnx import numpy_helper, version_converter
from onnx.reference import ReferenceEvaluator

TOLERANCE = 1e-4
TOO_LARGE = 64 << 20
# Files for older versions of ONNX's operators are brought to this one by ONNX's own converter.
OLDEST = 7


def models(source):
    """Names, bytes and folders of the models in a source."""
    if source.is_file():
        yield source.name, source.read_bytes(), source.parent
    elif (source / "HEAD").is_file():
        git = ["git", f"--git-dir={source}"]
        files = subprocess.run([*git, "ls-tree", "-rz", "--name-only", "HEAD"], capture_output=True, check=True)
        for name in files.stdout.decode().split("\0"):
            if name.endswith(".onnx"):
                shown = subprocess.run([*git, "show", f"HEAD:{name}"], capture_output=True, check=False)
                if shown.returncode == 0:
                    yield name, shown.stdout, None
    else:
        for path in sorted(source.rglob("*.onnx")):
            yield str(path.relative_to(source)), path.read_bytes(), path.parent


def stored(folder, kind):
    """The tensors beside a model, in order; none where there are none, or one is no tensor."""
    paths = sorted((folder / "test_data_set_0").glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    arrays = []
    for path in paths:
        tensor = onnx.TensorProto()
        try:
            tensor.ParseFromString(path.read_bytes())
            arrays.append(numpy_helper.to_array(tensor))
        except Exception:
            return None
    return arrays or None


def with_constants(model, arrays):
    """The model with its inputs after the first that are no images, such as weights, as constants: exporters write them so."""
    graph = model.graph
    held = {tensor.name for tensor in graph.initializer}
    free = [value for value in graph.input if value.name not in held]
    kept, values = [], []
    for index, value in enumerate(free):
        array = arrays[index]
        is_data = index == 0 or (array.dtype == np.float32 and FORMS.get(graph.node[0].op_type) != "weights")
        if is_data:
            kept.append(value)
            values.append(array)
        else:
            graph.initializer.append(numpy_helper.from_array(array, value.name))
    names = {value.name for value in kept}
    others = [value for value in graph.input if value.name in names]
    del graph.input[:]
    graph.input.extend(others)
    return model, values


# Operators of which all operands but the first are weights.
FORMS = dict.fromkeys(
    "Conv ConvTranspose BatchNormalization Gemm PRelu LSTM GRU RNN LayerNormalization InstanceNormalization Clip Pad Pow".split(), "weights"
)


def drawn(model):
    """Random inputs; nothing where a shape is open beyond its first dimension or an input is no float."""
    held = {tensor.name for tensor in model.graph.initializer}
    random = np.random.default_rng(1)
    values = []
    for value in model.graph.input:
        if value.name in held:
            continue
        kind = value.type.tensor_type
        shape = [dim.dim_value for dim in kind.shape.dim]
        if kind.elem_type != onnx.TensorProto.FLOAT or 0 in shape[1:]:
            return None
        values.append(random.uniform(-1, 1, [max(extent, 1) for extent in shape]).astype(np.float32))
    return values or None


def ember(program, model, inputs):
    """Two lists of outputs, of the graph and of the model file, or the error."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        paths = []
        for index, value in enumerate(inputs):
            paths.append(folder / f"in{index}")
            paths[-1].write_bytes(np.ascontiguousarray(value, np.float32).tobytes())
        done = subprocess.run([program, folder / "model.onnx", *paths], capture_output=True, text=True, check=False, env={})
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            said = " ".join(said).partition(" Caused by:")[0].partition(" Stack backtrace:")[0].replace(str(folder / "model.onnx"), "the model")
            return None, said.removeprefix("Error: ")
        outputs = json.loads(done.stdout)
        return [[np.array(output[engine], np.float32) for output in outputs] for engine in (0, 1)], None


def newer(model):
    """The model with newer operators where ONNX's converter can: of some old ones, the evaluator has the new form alone."""
    try:
        return version_converter.convert_version(model, 15)
    except Exception:
        return model


def difference(got, wanted):
    """How far two results are apart, of the greatest number or of 1."""
    wanted = np.asarray(wanted, np.float64).ravel()
    got = got.astype(np.float64)
    if got.size != wanted.size:
        return np.inf
    finite = np.isfinite(wanted)
    if not np.array_equal(np.isfinite(got), finite):
        return np.inf
    got, wanted = got[finite], wanted[finite]
    largest = max(float(np.abs(wanted).max(initial=0)), 1.0)
    return float(np.abs(got - wanted).max(initial=0)) / largest


def outcome(program, content, folder):
    """A word for the count, and why."""
    if len(content) > TOO_LARGE or content.startswith(b"version https://git-lfs"):
        return "not tried", "too large, or a pointer to it"
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:
        return "not tried", f"damaged: {str(error).splitlines()[0]}"
    given = stored(folder, "input") if folder else None
    wanted = stored(folder, "output") if folder and given else None
    try:
        if min(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) < OLDEST:
            model = version_converter.convert_version(model, OLDEST)
        given = given or drawn(model)
        values = None
        if given:
            model, values = with_constants(model, given)
        if not values or any(value.dtype != np.float32 for value in values):
            return "not tried", "an input is no float, or its shape is not known"
        if wanted is None:
            names = [value.name for value in model.graph.input if value.name not in {t.name for t in model.graph.initializer}]
            wanted = ReferenceEvaluator(newer(model)).run(None, dict(zip(names, values)))
        if any(np.asarray(array).dtype != np.float32 for array in wanted):
            return "not tried", "an output is no float"
    except Exception as error:
        return "not tried", f"ONNX's reference evaluator does not run it: {str(error).splitlines()[0][:80]}"
    results, error = ember(program, model, values)
    if error is not None and "has a batch of" in error:
        # The first example alone, as the error says.
        held = {tensor.name for tensor in model.graph.initializer}
        for value in model.graph.input:
            if value.name not in held:
                value.type.tensor_type.shape.dim[0].dim_value = 1
        values, wanted = [value[:1] for value in values], [array[:1] for array in wanted]
        results, error = ember(program, model, values)
    if error is not None:
        return "refused", error
    far = max(difference(got, want) for engine in results for got, want in zip(engine, wanted))
    if far <= TOLERANCE:
        return "equal", f"within {far:.1e}"
    return "DIFFERENT", f"by {far:g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_onnx", type=pathlib.Path)
    parser.add_argument("sources", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    sources = arguments.sources or [pathlib.Path(onnx.backend.test.__file__).parent / "data"]
    counts = collections.Counter()
    for source in sources:
        for name, content, folder in models(source):
            word, why = outcome(arguments.run_onnx.resolve(), content, folder)
            counts[word] += 1
            print(f"{name}: {word}: {why}", flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.most_common()))
    sys.exit(counts["DIFFERENT"] > 0)


if __name__ == "__main__":
    main()
