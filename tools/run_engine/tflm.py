"""Runs a model of one int8 input and one int8 output in TensorFlow Lite Micro.

    python tflm.py MODEL SAMPLES SCORES

SAMPLES and SCORES hold int8 numbers, one sample after the other.
"""

import sys

import numpy as np
from tflite_micro import runtime


def main(model, samples, scores):
    with open(model, "rb") as file:
        interpreter = runtime.Interpreter.from_bytes(file.read())
    shape = interpreter.get_input_details(0)["shape"]
    rows = []
    for sample in np.fromfile(samples, np.int8).reshape([-1, *shape]):
        interpreter.set_input(sample, 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0).ravel())
    np.concatenate(rows).tofile(scores)


if __name__ == "__main__":
    main(*sys.argv[1:])
