"""Times single inferences in LiteRT on one thread, with XNNPACK (its default) and with its builtin kernels.

    python latency.py [--runs N] MODEL...

What is timed is `invoke` alone, from Python: some tenths of a microsecond of it are the call. Prints one line of JSON per
model and engine: the fastest, the median and the 90th and 99th percentile, in microseconds.
"""

import argparse
import json
import time

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    from tensorflow.lite.python.interpreter import Interpreter, OpResolverType

ENGINES = {
    "xnnpack": OpResolverType.BUILTIN,
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}


def latency(model, resolver, runs):
    interpreter = Interpreter(
        model_path=model, num_threads=1, experimental_op_resolver_type=resolver
    )
    interpreter.allocate_tensors()
    random = np.random.default_rng(1)
    for source in interpreter.get_input_details():
        shape, dtype = source["shape"], source["dtype"]
        if np.issubdtype(dtype, np.floating):
            value = random.random(shape, dtype)
        else:
            limits = np.iinfo(dtype)
            value = random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        interpreter.set_tensor(source["index"], value)
    invoke, clock = interpreter._interpreter.Invoke, time.perf_counter_ns
    for _ in range(runs // 10):
        invoke()
    times = []
    for _ in range(runs):
        start = clock()
        invoke()
        times.append(clock() - start)
    names = ["min_us", "p50_us", "p90_us", "p99_us"]
    figures = np.percentile(times, [0, 50, 90, 99]) / 1000
    return dict(zip(names, figures.tolist()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--runs", type=int, default=20_000)
    arguments = parser.parse_args()
    for model in arguments.models:
        for engine, resolver in ENGINES.items():
            figures = latency(model, resolver, arguments.runs)
            print(json.dumps({"model": model, "engine": engine, **figures}), flush=True)


if __name__ == "__main__":
    main()
