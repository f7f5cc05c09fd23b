#!/usr/bin/env python3
"""Shows that TFLM, LiteRT and ember-lite give the same scores for a run's models on the whole MNIST test set.

Integer scores must be equal to the byte, float scores within 1e-5; TFLM takes no float16 and no dynamic range models. Any difference, any engine that refuses a file and
any missing input ends with exit status 1 (2 for wrong usage).
"""

import argparse
import contextlib
import gzip
import os
import pathlib
import re
import sys
import tempfile
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter as LiteRt
from ai_edge_litert.interpreter import OpResolverType
from tflite_micro.python.tflite_micro import runtime as tflm

# The models of a run: file, ember-lite's scores, how far TFLM's may be from them (None: it refuses such a model), and LiteRT's.
# LiteRT's x86 kernels for int16 add up in another order of roundings than TFLM's. In a dynamic range model an activation that
# falls on the other side of a rounding moves a score by a step of its layer, not by a float's last bit.
MODELS = [
    ("model.int8.tflite", "scores.int8.bin", 0, 0),
    ("model.f32.tflite", "scores.f32.bin", 1e-5, 1e-5),
    ("model.int16x8.tflite", "scores.int16x8.bin", 0, 32),
    ("model.f16.tflite", "scores.f16.bin", None, 1e-5),
    ("model.dynamic.tflite", "scores.dynamic.bin", None, 1e-3),
]
IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
ARENA_BYTES = 1 << 20


class Problem(Exception):
    """Something that ends the comparison: where, what was expected, what to do."""


def read_idx(folder, name, magic):
    """One IDX file of unsigned bytes, gzip or raw."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.exists():
            break
    else:
        raise Problem(f"{folder}: no {name}.gz and no {name}; set EMBER_DATA_DIR to the folder with the MNIST files")
    try:
        data = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise Problem(f"{path}: cannot be read ({error}); fetch it again") from error
    if len(data) < 4 or int.from_bytes(data[:4], "big") != magic:
        raise Problem(f"{path}: does not begin with the magic number {magic:#010x}; fetch it again")
    rank = magic & 0xFF
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * rank)
    if values.size != np.prod(shape):
        raise Problem(f"{path}: holds {values.size} values, its header says {shape}; fetch it again")
    return values.reshape(shape)


@contextlib.contextmanager
def captured_stderr():
    """Collects what C++ code prints to file descriptor 2, where TFLM reports its allocations."""
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


def records_for(images, detail):
    """The images as a model's input wants them: pixels over 255, quantized where the input is."""
    shape, dtype = tuple(detail["shape"]), detail["dtype"]
    pixels = images.astype(np.float64) / 255.0
    if np.dtype(dtype).kind == "i":
        limits = np.iinfo(dtype)
        scale = float(detail["quantization_parameters"]["scales"][0])
        zero_point = int(detail["quantization_parameters"]["zero_points"][0])
        pixels = np.clip(np.rint(pixels / scale) + zero_point, limits.min, limits.max)
    return [p.reshape(shape) for p in pixels.astype(dtype)]


def run_litert(path, images):
    """Scores [N, classes] of LiteRT's builtin kernels without default delegates."""
    interpreter = LiteRt(
        model_path=str(path),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scores = []
    for record in records_for(images, source):
        interpreter.set_tensor(source["index"], record)
        interpreter.invoke()
        scores.append(interpreter.get_tensor(target["index"]).ravel().copy())
    return np.stack(scores), None


def run_tflm(path, images):
    """Scores [N, classes] of TFLM's reference kernels, and the arena bytes of its recording allocator."""
    with captured_stderr() as text:
        interpreter = tflm.Interpreter.from_file(str(path), arena_size=ARENA_BYTES)
        scores = []
        for record in records_for(images, interpreter.get_input_details(0)):
            interpreter.set_input(record, 0)
            interpreter.invoke()
            scores.append(np.array(interpreter.get_output(0)).ravel())
        interpreter.print_allocations()
    found = re.search(r"Arena allocation total (\d+) bytes", text[0])
    return np.stack(scores), int(found.group(1)) if found else None


def read_scores(path, dtype, count):
    """The scores that ember-lite wrote: `count` rows of one byte or four bytes per class, nothing else."""
    values = np.frombuffer(path.read_bytes(), dtype)
    if count == 0 or values.size == 0 or values.size % count:
        raise Problem(f"{path}: {values.size} values are not {count} rows; write it again for the same test set")
    return values.reshape(count, -1)


def difference(name, left, right, tolerance):
    """A sentence on how two score tables differ, or None."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return f"{name}: {left.dtype}{list(left.shape)} against {right.dtype}{list(right.shape)}"
    gap = np.abs(left.astype(np.float64) - right.astype(np.float64))
    wrong = gap > tolerance
    # A NaN compares as not larger, and is never right.
    wrong |= np.isnan(gap)
    if not wrong.any():
        return None
    row = int(np.flatnonzero(wrong.any(axis=1))[0])
    return (
        f"{name}: {int(wrong.any(axis=1).sum())} of {len(left)} images differ, largest difference {gap.max():g};"
        f" first at image {row}: {left[row].tolist()} against {right[row].tolist()}"
    )


def compare(path, scores_path, images, labels, tflm_tolerance, litert_tolerance):
    """Runs one model in the engines that take it, reads ember-lite's scores, prints a table, and returns what is wrong."""
    if not path.exists():
        raise Problem(f"{path}: not there; `cargo xtask pipeline` writes it")
    print(f"{path.name}: {path.stat().st_size} bytes")
    tables, problems = {}, []
    engines = [("LiteRT builtin", run_litert)]
    if tflm_tolerance is not None:
        engines.insert(0, ("TFLM", run_tflm))
    for name, engine in engines:
        start = time.monotonic()
        try:
            scores, arena = engine(path, images)
        except Exception as error:  # What an engine raises on a file that it cannot read depends on where it fails.
            problems.append(f"{name} does not load or run {path.name}: {error}")
            continue
        tables[name] = scores
        note = f", arena {arena} bytes (recording allocator, 64-bit host)" if arena is not None else ""
        print(f"  {name:15} accuracy {accuracy(scores, labels):.4f}, {time.monotonic() - start:.1f} s{note}")
    if scores_path.exists():
        dtype = next(iter(tables.values())).dtype if tables else np.dtype(np.int8)
        tables["ember-lite"] = read_scores(scores_path, dtype, len(images))
        print(f"  {'ember-lite':15} accuracy {accuracy(tables['ember-lite'], labels):.4f}, from {scores_path}")
    else:
        problems.append(f"{scores_path}: not there; `cargo xtask eval` writes ember-lite's scores")
    names = list(tables)
    for index, left in enumerate(names):
        for right in names[index + 1 :]:
            tolerance = litert_tolerance if "LiteRT builtin" in (left, right) else tflm_tolerance
            found = difference(f"{path.name}, {left} against {right}", tables[left], tables[right], tolerance)
            if found:
                problems.append(found)
            else:
                gap = np.abs(tables[left].astype(np.float64) - tables[right].astype(np.float64)).max()
                kind = f"within {tolerance:g}, at most {gap:g} apart" if tolerance else "equal to the byte"
                print(f"  {left} and {right}: all {len(images)} images {kind}")
    return problems


def accuracy(scores, labels):
    """Share of images whose highest score, the first of equal ones, is at the label."""
    return float((scores.argmax(axis=1) == labels).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path, help="run directory, such as artifacts/runs/default")
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("EMBER_DATA_DIR"),
                        help="folder with the MNIST files (default: EMBER_DATA_DIR)")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("no MNIST files: give --data or set EMBER_DATA_DIR")
    run = arguments.run
    try:
        images = read_idx(pathlib.Path(arguments.data), IMAGES, 0x00000803)
        labels = read_idx(pathlib.Path(arguments.data), LABELS, 0x00000801)
        if len(images) != len(labels):
            raise Problem(f"{arguments.data}: {len(images)} images but {len(labels)} labels; fetch both again")
        problems = []
        for model, scores, tflm_tolerance, litert_tolerance in MODELS:
            problems += compare(run / model, run / scores, images, labels, tflm_tolerance, litert_tolerance)
    except Problem as problem:
        problems = [str(problem)]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    print("no difference")


if __name__ == "__main__":
    main()
