"""IF: which branch runs, what it gets and gives, branches in branches."""

from case import Case, Draw
from cases.flow import SHAPE, TYPES, change, tensor, truth, values, with_state
from single_op import Tensor, constant
from subgraphs import Graph, model, options


def if_options(then, otherwise):
    return options("IfOptions", thenSubgraphIndex=then, elseSubgraphIndex=otherwise)


def branch(dtype, build, count=2):
    graph = Graph()
    inputs = [graph.input(tensor(dtype)) for _ in range(count)]
    graph.outputs = build(graph, *inputs)
    return graph


def caller(dtype, outputs=1):
    graph = Graph()
    condition = graph.input(Tensor("bool", (1,)))
    x, y = graph.input(tensor(dtype)), graph.input(tensor(dtype))
    given = graph.op("IF", if_options(1, 2), [condition, x, y], [tensor(dtype) for _ in range(outputs)])
    graph.outputs = given if outputs > 1 else [given]
    return graph


def records(name, dtype):
    draw = Draw(f"if/{name}")
    return [[truth(value), values(draw, dtype), values(draw, dtype)] for value in (True, False)]


def cases():
    for dtype in TYPES:
        name = f"{dtype}_select"
        graphs = [caller(dtype), branch(dtype, lambda g, x, y: [x]), branch(dtype, lambda g, x, y: [y])]
        yield Case(name, model(graphs), records(name, dtype))
    for dtype in TYPES:
        name = f"{dtype}_compute"
        then = branch(dtype, lambda g, x, y: [change(g, dtype, x)])
        otherwise = branch(dtype, lambda g, x, y: [change(g, dtype, change(g, dtype, y))])
        yield Case(name, model([caller(dtype), then, otherwise]), records(name, dtype))
    name = "float32_two_outputs_crossed"
    then = branch("float32", lambda g, x, y: [y, x])
    otherwise = branch("float32", lambda g, x, y: [x, change(g, "float32", x)])
    yield Case(name, model([caller("float32", 2), then, otherwise]), records(name, "float32"))
    name = "int8_constant_branch"
    draw = Draw(f"if/{name}")
    fixed = constant("int8", values(draw, "int8"), scales=[0.1], zero_points=[3])
    otherwise = branch("int8", lambda g, x, y: [g.add(fixed)])
    yield Case(name, model([caller("int8"), branch("int8", lambda g, x, y: [y]), otherwise]), records(name, "int8"))
    name = "int8_nested_with_live_values"
    main = Graph()
    outer, inner = main.input(Tensor("bool", (1,))), main.input(Tensor("bool", (1,)))
    x = main.input(tensor("int8"))
    before = change(main, "int8", x)
    given = main.op("IF", if_options(1, 2), [outer, inner, before], [tensor("int8")])
    # What was there before the call is used after it.
    total = main.op("ADD", options("AddOptions"), [given, before], [tensor("int8")], 2)
    main.outputs = [total, given]
    middle = Graph()
    condition, y = middle.input(Tensor("bool", (1,))), middle.input(tensor("int8"))
    kept = change(middle, "int8", y)
    chosen = middle.op("IF", if_options(3, 4), [condition, kept], [tensor("int8")])
    middle.outputs = [middle.op("ADD", options("AddOptions"), [chosen, kept], [tensor("int8")], 2)]
    other = Graph()
    other.input(Tensor("bool", (1,)))
    other.outputs = [other.input(tensor("int8"))]
    leaves = [branch("int8", lambda g, x: [change(g, "int8", x)], 1), branch("int8", lambda g, x: [x], 1)]
    draw = Draw(f"if/{name}")
    turns = [(True, True), (True, False), (False, True)]
    runs = [[truth(a), truth(b), values(draw, "int8") // 4] for a, b in turns]
    yield Case(name, model([main, middle, other, *leaves]), runs)
    name = "float32_one_subgraph_called_twice"
    main = Graph()
    condition = main.input(Tensor("bool", (1,)))
    x = main.input(tensor("float32", SHAPE))
    first = main.op("IF", if_options(1, 2), [condition, x], [tensor("float32")])
    last = main.op("IF", if_options(2, 1), [condition, first], [tensor("float32")])
    main.outputs = [last, first]
    step = branch("float32", lambda g, x: [change(g, "float32", x)], 1)
    same = branch("float32", lambda g, x: [x], 1)
    draw = Draw(f"if/{name}")
    yield Case(name, model([main, step, same]), [[truth(turn), values(draw, "float32")] for turn in (True, False)])
    for dtype in ("float32", "int8"):
        name = f"{dtype}_state_of_two_callers"
        main = Graph()
        condition = main.input(Tensor("bool", (1,)))
        x = main.input(tensor(dtype))
        first = main.op("IF", if_options(1, 2), [condition, x], [tensor(dtype)])
        last = main.op("IF", if_options(2, 1), [condition, first], [tensor(dtype)])
        main.outputs = [last, first]
        graphs = [main, *(branch(dtype, lambda g, x: [with_state(g, dtype, x)], 1) for _ in range(2))]
        draw = Draw(f"if/{name}")
        yield Case(name, model(graphs), [[truth(turn), values(draw, dtype)] for turn in (True, True, False, True)])
