"""Writes the ONNX models that the tests of ember-onnx import, and what they must compute.

For each model `<name>.onnx` and `<name>.json`: inputs and outputs as the file has them (NCHW), row-major. The PyTorch models'
outputs are PyTorch's own. Those of the quantized models are by ONNX's reference evaluator: `outputs` of the model as it is,
`real_outputs` with the quantization of its activations taken out.
"""

import argparse
import json
import pathlib

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from onnxscript import optimizer

import qdq_models
import torch_models

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "crates/ember-onnx/tests/models"
SAMPLES = 3


def samples(image, seed):
    return np.random.default_rng(seed).uniform(-1, 1, (SAMPLES, 1, *image)).astype(np.float32)


def written(arrays):
    """Every number with the fewest digits that give it back."""
    return [[float(str(number)) for number in np.asarray(array, np.float32).ravel()] for array in arrays]


def save(model, name, image, inputs, **outputs):
    path = FOLDER / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    golden = {"image": list(image), "inputs": written(inputs), **{key: written(value) for key, value in outputs.items()}}
    (FOLDER / f"{name}.json").write_text(json.dumps(golden) + "\n")
    operators = sorted({node.op_type for node in model.graph.node})
    print(f"{name}: {path.stat().st_size} bytes, {', '.join(operators)}")


def bare(model):
    """Without what exporters add about themselves: names of source files, stack traces."""
    model.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    return model


def exported(model, image, optimize):
    """The model in ONNX by PyTorch's exporter, with a batch that is left open."""
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        model,
        (torch.zeros(2, *image),),
        dynamo=True,
        optimize=optimize,
        dynamic_shapes=({0: batch},),
        input_names=["image"],
        output_names=["scores"],
        verbose=False,
    )
    if not optimize:
        # Its own optimizer would fold batch norms; this one folds constants only.
        optimizer.fold_constants_ir(program.model)
        optimizer.remove_unused_nodes(program.model)
    return bare(program.model_proto)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("names", nargs="*", help="the models to make; all where none is named")
    names = arguments.parse_args().names
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, (name, kind) in enumerate(torch_models.MODELS.items()):
        for norm in (False, True):
            full = f"{name}_bn" if norm else name
            if names and full not in names:
                continue
            model = torch_models.build(name, norm, seed=number)
            inputs = samples(kind.image, seed=number)
            with torch.no_grad():
                outputs = [model(torch.from_numpy(sample)).numpy() for sample in inputs]
            # The exporter's optimizer folds batch norms into convolutions.
            save(exported(model, kind.image, optimize=not norm), full, kind.image, inputs, outputs=outputs)
    for number, (name, build) in enumerate(qdq_models.MODELS.items()):
        if names and name not in names:
            continue
        model, image = build()
        inputs = samples(image, seed=number)
        run = lambda model: [ReferenceEvaluator(model).run(None, {"image": sample})[0] for sample in inputs]
        save(model, name, image, inputs, outputs=run(model), real_outputs=run(without_rounding(model)))


def without_rounding(model):
    """The model with an Identity for each pair of QuantizeLinear and DequantizeLinear over what it computes."""
    real = onnx.ModelProto()
    real.CopyFrom(model)
    made = {node.output[0]: node for node in real.graph.node}
    nodes = []
    for node in real.graph.node:
        before = made.get(node.input[0])
        if node.op_type == "QuantizeLinear":
            continue
        if node.op_type == "DequantizeLinear" and before is not None:
            node = onnx.helper.make_node("Identity", [before.input[0]], list(node.output))
        nodes.append(node)
    del real.graph.node[:]
    real.graph.node.extend(nodes)
    return real


if __name__ == "__main__":
    main()
