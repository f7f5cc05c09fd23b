"""CALL_ONCE: variables that begin with what a subgraph assigns, before the first run and not again."""

from case import Case, Draw
from cases.flow import TYPES, assign, call_once, change, handle, read, tensor, values
from single_op import constant
from subgraphs import Graph, model


def beginning(dtype, start, again=False):
    """Gives what the input of the last run was; in the beginning `start`."""
    main = Graph()
    x = main.input(tensor(dtype))
    call_once(main, 1)
    if again:
        call_once(main, 1)
    variable = handle(main, "last")
    main.outputs = [change(main, dtype, read(main, variable, dtype))]
    assign(main, variable, x)
    init = Graph()
    fields = tensor(dtype)
    fields.data = start
    assign(init, handle(init, "last"), init.add(fields))
    return [main, init]


def cases():
    for dtype in TYPES:
        name = f"{dtype}_beginning"
        draw = Draw(f"call_once/{name}")
        start, other = values(draw, dtype), values(draw, dtype)
        # The last input is what it began with: after it all is as in the beginning.
        yield Case(name, model(beginning(dtype, start)), [[other], [values(draw, dtype)], [start]])
    draw = Draw("call_once/twice")
    start = values(draw, "float32")
    yield Case("float32_two_operators", model(beginning("float32", start, True)), [[values(draw, "float32")], [start]])
    main = Graph()
    x = main.input(tensor("int8"))
    call_once(main, 1)
    main.outputs = [change(main, "int8", x)]
    name = "int8_nothing_to_do"
    yield Case(name, model([main, Graph()]), [[values(Draw(f"call_once/{name}"), "int8")]])
    name = "int8_deep"
    main = Graph()
    x = main.input(tensor("int8"))
    kept = change(main, "int8", x)
    call_once(main, 1)
    variable = handle(main, "first")
    value = read(main, variable, "int8")
    main.outputs = [main.op("MAXIMUM", None, [kept, value], [tensor("int8")])]
    outer, inner = Graph(), Graph()
    call_once(outer, 2)
    start = constant("int8", values(Draw(f"call_once/{name}/start"), "int8"), scales=[0.1], zero_points=[3])
    assign(inner, handle(inner, "first"), change(inner, "int8", inner.add(start)))
    draw = Draw(f"call_once/{name}")
    yield Case(name, model([main, outer, inner]), [[values(draw, "int8")], [values(draw, "int8")]])
