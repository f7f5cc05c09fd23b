"""SignalEnergy of spectra: the whole range and a part of it."""

from case import Case, Draw
from cases.audio import case, options, samples
from single_op import Tensor, constant
from subgraphs import Graph, model, options as table


def energy(name, bins, runs=1):
    draw = Draw(f"energy/{name}")
    fields = {"start_index": 0, "end_index": bins}
    records = samples(draw, (2 * bins,), runs)
    return case("Energy", name, fields, [("int16", (2 * bins,))], [("uint32", (bins,))], records)


def part(name, bins, start, end, runs=2):
    """Outside the range TFLM leaves what was there, so that only the range is an output: behind CAST, because SLICE does not
    take uint32."""
    draw = Draw(f"energy/{name}")
    main = Graph()
    x = main.input(Tensor("int16", (2 * bins,)))
    fields = options(start_index=start, end_index=end)
    energies = main.op("SignalEnergy", fields, [x], [Tensor("uint32", (bins,))])
    numbers = main.op("CAST", table("CastOptions"), [energies], [Tensor("int32", (bins,))])
    places = [main.add(constant("int32", [start])), main.add(constant("int32", [end - start]))]
    main.outputs = [main.op("SLICE", None, [numbers, *places], [Tensor("int32", (end - start,))])]
    return Case(name, model([main]), samples(draw, (2 * bins,), runs))


def cases():
    yield energy("small", 5)
    yield energy("runs", 17, runs=3)
    yield energy("one", 1)
    yield part("part", 33, 4, 30)
    yield part("beginning", 9, 0, 5)
    yield part("end", 9, 3, 9)
