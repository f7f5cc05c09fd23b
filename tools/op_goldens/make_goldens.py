#!/usr/bin/env python3
"""Writes the golden cases of `crates/ember-testkit/golden`: `<op>.tsv`, an index, and `<op>.bin`, the bytes.

Every model runs in TFLM and in LiteRT's builtin kernels. TFLM's outputs are the goldens where it takes the model,
LiteRT's otherwise; what the other engine did is written beside each case. Two runs write the same bytes.
"""

import argparse
import pathlib
import sys
from importlib.metadata import version

import numpy as np

import engines
from cases import OPERATORS, cases_of

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "crates" / "ember-testkit" / "golden"
# The whole folder is committed, so it stays small.
BUDGET_BYTES = 2_000_000
FLOAT_TOLERANCE = 1e-5
# Cases whose point is that the outputs are all one value.
CONSTANT_BY_DESIGN = ("multiplier_tiny", "multiplier_below_shift_range", "tiny_ratio", "one_class", "scale_tiny")


HEADER = "\n".join([
    "# Made by tools/op_goldens/make_goldens.py; do not edit.",
    f"# Engines: tflm = tflite-micro {version('tflite-micro')}, litert = ai-edge-litert {version('ai-edge-litert')},"
    " builtin kernels without default delegates.",
    "# The .bin file holds, case after case without gaps: the model, the inputs of every record, the outputs of every"
    " record.",
    "# name\tengine of the outputs\tmodel bytes\trecords\tinputs\toutputs\tthe other engine",
])


def attempt(engine, case):
    try:
        return engine(case.model, case.records), None
    except engines.Refused as refusal:
        return None, str(refusal)


def difference(left, right):
    """What differs between two engines' outputs, or None: integers must be equal, floats close."""
    differing, largest, total = 0, 0.0, 0
    for a, b in zip((x for r in left for x in r), (x for r in right for x in r)):
        if a.dtype != b.dtype or a.size != b.size:
            return f"{a.dtype}{list(a.shape)} against {b.dtype}{list(b.shape)}"
        gap = np.abs(a.astype(np.float64).ravel() - b.astype(np.float64).ravel())
        allowed = FLOAT_TOLERANCE * np.maximum(1.0, np.abs(a.astype(np.float64).ravel())) if a.dtype.kind == "f" else 0
        wrong = ~(gap <= allowed)
        differing += int(wrong.sum())
        largest = max(largest, float(gap[wrong].max(initial=0)))
        total += gap.size
    return f"{differing} of {total} values, largest difference {largest:g}" if differing else None


def raw(arrays):
    return b"".join(np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<")).tobytes() for a in arrays)


def describe(arrays):
    return [f"{a.dtype.name}[{','.join(str(d) for d in a.shape)}]" for a in arrays]


def golden(case):
    """The engine whose outputs count, the outputs, and what the other engine did."""
    tflm, tflm_refusal = (None, case.not_tflm) if case.not_tflm else attempt(engines.run_tflm, case)
    litert, litert_refusal = attempt(engines.run_litert, case)
    if tflm is None and litert is None:
        sys.exit(f"{case.name}: TFLM refuses ({tflm_refusal}), LiteRT refuses ({litert_refusal})")
    if tflm is None:
        return "litert", litert, f"tflm {'is wrong' if case.not_tflm else 'refuses'}: {tflm_refusal}"
    if litert is None:
        return "tflm", tflm, f"litert refuses: {litert_refusal}"
    gap = difference(tflm, litert)
    return "tflm", tflm, f"litert differs: {gap}" if gap else "litert agrees"


def make(operator):
    """The operator's files as {path: bytes}, and per case what the other engine did."""
    blob, lines, outcomes = bytearray(), [], []
    for case in cases_of(operator):
        engine, outputs, other = golden(case)
        for array in (a for record in outputs for a in record):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                sys.exit(f"{operator}/{case.name}: an output is not finite, so no tolerance holds for it")
            if array.size > 16 and (array == array.flat[0]).all() and not case.name.endswith(CONSTANT_BY_DESIGN):
                sys.exit(f"{operator}/{case.name}: all outputs of a record are {array.flat[0]}, which shows little")
        outcomes.append((case.name, other))
        blob.extend(case.model)
        for record in case.records + outputs:
            blob.extend(raw(record))
        lines.append("\t".join([
            case.name,
            engine,
            str(len(case.model)),
            str(len(case.records)),
            " ".join(describe(case.records[0])),
            " ".join(describe(outputs[0])),
            other,
        ]))
    text = "\n".join([HEADER, *lines]) + "\n"
    return {FOLDER / f"{operator}.tsv": text.encode(), FOLDER / f"{operator}.bin": bytes(blob)}, outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("operators", nargs="*", help="operators to make again (default: all), as in cases/")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a committed file would change")
    arguments = parser.parse_args()
    chosen = arguments.operators or OPERATORS
    unknown = [name for name in chosen if name not in OPERATORS]
    if unknown:
        sys.exit(f"unknown operator {', '.join(unknown)}; known are {', '.join(OPERATORS)}")
    stale = []
    for operator in chosen:
        files, outcomes = make(operator)
        odd = [(name, other) for name, other in outcomes if other != "litert agrees"]
        size = sum(len(data) for data in files.values())
        print(f"{operator}: {len(outcomes)} cases, {size} bytes, the engines agree on {len(outcomes) - len(odd)}")
        for name, other in odd:
            print(f"  {name}: {other}")
        for path, data in files.items():
            if arguments.check:
                stale += [path.name] if not path.exists() or path.read_bytes() != data else []
            else:
                FOLDER.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    if stale:
        sys.exit(f"not what is committed: {', '.join(stale)}; run make_goldens.py without --check and look at the diff")
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"whole folder: {total} bytes of {BUDGET_BYTES}")
    if total > BUDGET_BYTES:
        sys.exit("the goldens are larger than their budget: make tensors smaller or drop cases that show nothing new")


if __name__ == "__main__":
    main()
