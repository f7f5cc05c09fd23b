"""ASSIGN_VARIABLE of each type: within one run, over several, of constants."""

from case import Case, Draw
from cases.flow import TYPES, assign, change, handle, read, resting, tensor, values
from subgraphs import Graph, model


def cases():
    for dtype in TYPES:
        name = f"{dtype}_twice_in_a_run"
        main = Graph()
        x = main.input(tensor(dtype))
        variable = handle(main, "value")
        before = read(main, variable, dtype)
        assign(main, variable, x)
        between = read(main, variable, dtype)
        fields = tensor(dtype)
        fields.data = resting(dtype)
        assign(main, variable, main.add(fields))
        main.outputs = [change(main, dtype, between), change(main, dtype, before), read(main, variable, dtype)]
        draw = Draw(f"assign_variable/{name}")
        yield Case(name, model([main]), [[values(draw, dtype)], [values(draw, dtype)]])
