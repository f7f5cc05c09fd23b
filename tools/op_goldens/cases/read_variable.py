"""READ_VARIABLE of each type: what it holds in the beginning, and what the run before assigned."""

from case import Case, Draw
from cases.flow import TYPES, assign, change, handle, read, resting, tensor, values
from subgraphs import Graph, model


def cases():
    for dtype in TYPES:
        name = f"{dtype}_last_input"
        main = Graph()
        x = main.input(tensor(dtype))
        variable = handle(main, "last")
        main.outputs = [change(main, dtype, read(main, variable, dtype))]
        assign(main, variable, x)
        draw = Draw(f"read_variable/{name}")
        runs = [[values(draw, dtype)], [values(draw, dtype)], [resting(dtype)]]
        yield Case(name, model([main]), runs)
