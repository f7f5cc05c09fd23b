#!/usr/bin/env python3
"""Trains the reference CNN in Keras and tells how good it was when, as `ember-train --test-each-epoch` does."""

import time

STARTED = time.monotonic()

import argparse
import gzip
import json
import os
import resource
import struct
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def idx(folder: Path, name: str) -> bytes:
    """The data of an IDX file, compressed or not, behind its header."""
    for path, opened in ((folder / name, open), (folder / f"{name}.gz", gzip.open)):
        if path.exists():
            with opened(path, "rb") as file:
                data = file.read()
            return data[4 + 4 * data[3] :]
    sys.exit(f"{folder} has neither {name} nor {name}.gz: set EMBER_DATA_DIR to the folder with the four files of MNIST")


def images(folder: Path, split: str):
    import numpy

    pixels = numpy.frombuffer(idx(folder, f"{split}-images-idx3-ubyte"), numpy.uint8)
    labels = numpy.frombuffer(idx(folder, f"{split}-labels-idx1-ubyte"), numpy.uint8)
    return pixels.reshape(-1, 28, 28, 1).astype(numpy.float32) / 255, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("EMBER_DATA_DIR"), help="folder with MNIST's IDX files [EMBER_DATA_DIR]")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--final-learning-rate", type=float, help="reached along half a cosine")
    parser.add_argument("--validation", type=int, default=5000, help="training images that are held back")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to write the record; standard output without")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("--data or EMBER_DATA_DIR is needed")

    import keras
    import tensorflow

    keras.utils.set_random_seed(arguments.seed)
    train, labels = images(Path(arguments.data), "train")
    test, test_labels = images(Path(arguments.data), "t10k")
    held_back = arguments.validation
    validation = (train[:held_back], labels[:held_back]) if held_back else None
    train, labels = train[held_back:], labels[held_back:]

    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rate = arguments.learning_rate
    if arguments.final_learning_rate is not None:
        steps = arguments.epochs * -(-len(train) // arguments.batch)
        least = arguments.final_learning_rate / rate
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=least)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])

    history = []

    class Test(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.began = time.monotonic()

        def on_epoch_end(self, epoch, logs=None):
            seconds = time.monotonic() - self.began
            _, accuracy = self.model.evaluate(test, test_labels, batch_size=250, verbose=0)
            history.append(
                {
                    "epoch": epoch + 1,
                    "accuracy": logs["accuracy"],
                    "val_accuracy": logs.get("val_accuracy"),
                    "seconds": seconds,
                    "test_accuracy": accuracy,
                    "tested_after_seconds": time.monotonic() - STARTED,
                }
            )

    began = time.monotonic()
    model.fit(train, labels, arguments.batch, arguments.epochs, verbose=0, validation_data=validation, callbacks=[Test()])
    fit = time.monotonic() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    record = {
        "engine": f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}",
        "training_images": len(train),
        "epochs": arguments.epochs,
        "batch_size": arguments.batch,
        "learning_rate": arguments.learning_rate,
        "final_learning_rate": arguments.final_learning_rate,
        "seed": arguments.seed,
        "fit_seconds": fit,
        "process_seconds": time.monotonic() - STARTED,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_ram_bytes": usage.ru_maxrss * 1024,
        "test_accuracy": history[-1]["test_accuracy"],
        "history": history,
    }
    text = json.dumps(record, indent=2) + "\n"
    if arguments.out:
        arguments.out.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
