"""Compiles int8 models with Arm's vela, and shows that every operator is placed on the Ethos-U.

    python compile.py MODEL... [--accelerator ethos-u55-128] [--out FOLDER]

Writes FOLDER/NAME_vela.tflite and FOLDER/NAME_commands.txt, the NPU's commands as vela lists them. vela keeps an arena plan that a model brings along instead of writing its own,
and its commands do not follow that one; so the plan is taken out first, which changes nothing else. Ends with exit status 1
when vela refuses a model, an operator stays on the CPU, the plan does not cover the file's tensors, or several models would
have one name.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

PLAN = b"OfflineMemoryAllocation"

# Address, words (the second one first), name and parameter of a command.
COMMAND = re.compile(r"0x[0-9a-f]+:(?: ([0-9a-f]{8}))? +[0-9a-f]{4} [0-9a-f]{4} - NPU_(\w+) +(\d+)")


def read(path):
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(path.read_bytes(), 0))


def metadata(model, name):
    for entry in model.metadata or []:
        if entry.name == name:
            return bytes(model.buffers[entry.buffer].data)
    return None


def without_plan(source, target):
    model = read(source)
    model.metadata = [entry for entry in model.metadata or [] if entry.name != PLAN]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    target.write_bytes(bytes(builder.Output()))


def on_cpu(model):
    """The operators that are not the NPU's."""
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            if code.customCode != b"ethos-u":
                yield code.customCode or max(code.builtinCode, code.deprecatedBuiltinCode)


def compile_model(path, name, accelerator, out):
    """Compiles one model; returns what is wrong with the result, or None."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / f"{name}.tflite"
        without_plan(path, source)
        command = [sys.executable, "-m", "ethosu.vela", source, "--output-dir", out]
        command += ["--accelerator-config", accelerator, "--show-cpu-operations"]
        command += ["--verbose-register-command-stream"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"vela: {(done.stderr or done.stdout).strip().splitlines()[-1]}"
    result = out / f"{name}_vela.tflite"
    for summary in out.glob(f"{name}_summary_*.csv"):
        summary.unlink()
    if not result.exists():
        return "vela wrote nothing"
    with (out / f"{name}_commands.txt").open("w") as listing:
        for second, command, parameter in COMMAND.findall(done.stdout):
            print(command, parameter, *([hex(int(second, 16))] if second else []), file=listing)
    model = read(result)
    left = list(on_cpu(model))
    if left:
        return f"{len(left)} operators stay on the CPU: {left}"
    if "CPU operators = 0 (0.0%)" not in done.stdout:
        return "vela's summary does not say that no operator stays on the CPU"
    plan = np.frombuffer(metadata(model, PLAN) or b"", "<i4")
    if len(plan) != 3 + len(model.subgraphs[0].tensors):
        return "the plan does not have an offset for every tensor"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL")
    parser.add_argument("--accelerator", default="ethos-u55-128")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    # A model of a run or of the zoo is called by its folder.
    names = [path.parent.name if path.name.startswith("model.") else path.stem for path in arguments.models]
    if len(set(names)) < len(names):
        sys.exit(f"several models have one name: {names}")
    with tempfile.TemporaryDirectory() as folder:
        out = arguments.out or pathlib.Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        failed = 0
        for path, name in zip(arguments.models, names):
            wrong = compile_model(path, name, arguments.accelerator, out)
            print(f"{name}: {wrong or 'every operator on ' + arguments.accelerator}")
            failed += wrong is not None
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
