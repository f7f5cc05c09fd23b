"""Runs a model of one input and one output in LiteRT with its builtin kernels and no delegate.

    python litert.py MODEL SAMPLES SCORES

SAMPLES holds float32 numbers, one sample after the other; they are quantized where the model's input is. SCORES gets the
outputs as float32 numbers, made real again where the model's output is quantized.
"""

import sys

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    from tensorflow.lite.python.interpreter import Interpreter, OpResolverType


def main(model, samples, scores):
    interpreter = Interpreter(
        model_path=model,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    (result,) = interpreter.get_output_details()
    numbers = np.fromfile(samples, np.float32).reshape([-1, *source["shape"][1:]])
    rows = []
    for number in numbers:
        value = number[np.newaxis]
        scale, zero_point = source["quantization"]
        if scale:
            limits = np.iinfo(source["dtype"])
            steps = np.rint(value.astype(np.float64) / scale) + zero_point
            value = np.clip(steps, limits.min, limits.max)
        interpreter.set_tensor(source["index"], value.astype(source["dtype"]))
        interpreter.invoke()
        row = interpreter.get_tensor(result["index"])
        scale, zero_point = result["quantization"]
        if scale:
            row = scale * (row.astype(np.float64) - zero_point)
        rows.append(row.astype(np.float32).ravel())
    np.concatenate(rows).tofile(scores)


if __name__ == "__main__":
    main(*sys.argv[1:])
