#!/usr/bin/env python3
"""Compares what Ember makes of random models with TFLM and LiteRT: integers to the byte, floats closely.

The models come from Ember's own generator, with its outputs:

    cargo run -p ember-testkit --example random_models FOLDER 0..300
    venv/bin/python differential.py FOLDER

TFLM's outputs count where it takes a model. What it refuses is compared with LiteRT. The script fails where Ember differs from
the engine that counts, and names the folders; `model.txt` in each lists the operators.
"""

import argparse
import collections
import json
import pathlib
import re
import sys

import numpy as np

import engines

# As crates/ember-testkit/src/agreement.rs, times what up to 8 operators one after the other add to.
FLOAT_TOLERANCE = 1e-4


def split(data, ports, count):
    """The arrays of each record."""
    records, at = [], 0
    for _ in range(count):
        record = []
        for port in ports:
            dtype = np.dtype(port["dtype"])
            size = int(np.prod(port["shape"], dtype=np.int64))
            record.append(np.frombuffer(data, dtype, size, at).reshape(port["shape"]))
            at += size * dtype.itemsize
        records.append(record)
    assert at == len(data), f"{len(data)} bytes where the case has {at}"
    return records


def differing(found, expected):
    """How many values differ, and the largest difference; values that are not finite must be so in both."""
    wrong, largest = 0, 0.0
    for a, b in zip((x for r in found for x in r), (x for r in expected for x in r)):
        a, b = a.ravel(), np.asarray(b).ravel()
        off = a != b
        # Infinities less infinities are no numbers, which are close to nothing.
        with np.errstate(invalid="ignore"):
            gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
            if a.dtype.kind == "f":
                close = gap <= FLOAT_TOLERANCE * np.maximum(1.0, np.abs(b.astype(np.float64)))
                off &= ~(close & np.isfinite(b)) & ~(np.isnan(a) & np.isnan(b))
        wrong += int(off.sum())
        largest = max(largest, float(gap[off].max(initial=0)))
    return wrong, largest


def attempt(engine, model, inputs):
    try:
        return engine(model, inputs), None
    except engines.Refused as refusal:
        return None, str(refusal)


def compare(folder):
    """What became of one model: a word for the tally, and a line where there is something to say."""
    case = json.loads((folder / "case.json").read_text())
    model = (folder / "model.tflite").read_bytes()
    inputs = split((folder / "inputs.bin").read_bytes(), case["inputs"], case["count"])
    # Arrays of the engines may not be read-only.
    inputs = [[array.copy() for array in record] for record in inputs]
    if case["refusal"]:
        return "Ember gives no numbers", None
    outputs = split((folder / "outputs.bin").read_bytes(), case["outputs"], case["count"])
    tflm, tflm_refusal = attempt(engines.run_tflm, model, inputs)
    litert, litert_refusal = (None, None) if tflm is not None else attempt(engines.run_litert, model, inputs)
    name, expected = ("TFLM", tflm) if tflm is not None else ("LiteRT", litert)
    if expected is None:
        return "both engines refuse", f"TFLM: {tflm_refusal}; LiteRT: {litert_refusal}"
    wrong, largest = differing(outputs, expected)
    if not wrong:
        return f"as {name}", None
    operators = re.findall(r"^(\w+)\(", (folder / "model.txt").read_text(), re.MULTILINE)
    return f"differs from {name}", f"{wrong} values, by up to {largest:g}: {' '.join(operators)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="what the example `random_models` wrote")
    parser.add_argument("--refusals", action="store_true", help="say why the engines refuse what neither takes")
    arguments = parser.parse_args()
    tally, faults = collections.Counter(), 0
    for folder in sorted(arguments.folder.iterdir(), key=lambda path: int(path.name)):
        word, line = compare(folder)
        tally[word] += 1
        faults += word.startswith("differs")
        if line and (word.startswith("differs") or arguments.refusals):
            print(f"{folder.name}: {word}: {line}", flush=True)
    print(", ".join(f"{count} {word}" for word, count in sorted(tally.items())))
    if faults:
        sys.exit(f"{faults} models differ")


if __name__ == "__main__":
    main()
