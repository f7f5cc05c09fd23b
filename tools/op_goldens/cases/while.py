"""WHILE: no round, one and several, what goes round, loops in loops and conditions in loops."""

from case import Case, Draw
from cases.flow import TYPES, change, scalar, tensor, values, with_state
from single_op import Tensor, constant
from subgraphs import Graph, model, options


def while_options(condition, body):
    return options("WhileOptions", condSubgraphIndex=condition, bodySubgraphIndex=body)


def counter():
    return Tensor("int32", (1,))


def below(state, limit=None):
    """A condition: whether the first tensor of the state is below the limit, or below the second tensor."""
    graph = Graph()
    ids = [graph.input(fields) for fields in state]
    other = ids[1] if limit is None else graph.add(constant("int32", [limit]))
    graph.outputs = [graph.op("LESS", options("LessOptions"), [ids[0], other], [Tensor("bool", (1,))])]
    return graph


def increment(graph, count):
    one = graph.add(constant("int32", [1]))
    return graph.op("ADD", options("AddOptions"), [count, one], [counter()])


def cases():
    for dtype in TYPES:
        name = f"{dtype}_counted"
        state = [counter(), counter(), tensor(dtype)]
        main = Graph()
        ids = [main.input(fields) for fields in state]
        main.outputs = main.op("WHILE", while_options(1, 2), ids, state)[1:]
        body = Graph()
        count, limit, x = [body.input(fields) for fields in state]
        body.outputs = [increment(body, count), limit, change(body, dtype, x)]
        draw = Draw(f"while/{name}")
        runs = [[scalar(0), scalar(rounds), values(draw, dtype)] for rounds in (0, 1, 5)]
        yield Case(name, model([main, below(state), body]), runs)
    name = "int8_swapped"
    state = [counter(), tensor("int8"), tensor("int8")]
    main = Graph()
    ids = [main.input(fields) for fields in state]
    main.outputs = main.op("WHILE", while_options(1, 2), ids, state)
    body = Graph()
    count, x, y = [body.input(fields) for fields in state]
    body.outputs = [increment(body, count), change(body, "int8", y), x]
    draw = Draw(f"while/{name}")
    runs = [[scalar(start), values(draw, "int8"), values(draw, "int8")] for start in (0, 3, 9)]
    yield Case(name, model([main, below(state, 6), body]), runs)
    name = "float32_nested"
    state = [counter(), counter(), tensor("float32")]
    main = Graph()
    ids = [main.input(fields) for fields in state]
    kept = change(main, "float32", ids[2])
    out = main.op("WHILE", while_options(1, 2), [ids[0], ids[1], kept], state)
    main.outputs = [out[0], main.op("MUL", options("MulOptions"), [out[2], kept], [tensor("float32")])]
    outer = Graph()
    count, limit, x = [outer.input(fields) for fields in state]
    zero = outer.add(constant("int32", [0]))
    inner = outer.op("WHILE", while_options(3, 4), [zero, limit, x], state)
    outer.outputs = [increment(outer, count), limit, inner[2]]
    body = Graph()
    count, limit, x = [body.input(fields) for fields in state]
    body.outputs = [increment(body, count), limit, change(body, "float32", x)]
    draw = Draw(f"while/{name}")
    runs = [[scalar(0), scalar(rounds), values(draw, "float32")] for rounds in (1, 3)]
    yield Case(name, model([main, below(state), outer, below(state, 2), body]), runs)
    name = "int16_condition_in_loop"
    state = [counter(), tensor("int16")]
    main = Graph()
    ids = [main.input(fields) for fields in state]
    main.outputs = [main.op("WHILE", while_options(1, 2), ids, state)[1]]
    body = Graph()
    count, x = [body.input(fields) for fields in state]
    two = body.add(constant("int32", [2]))
    early = body.op("LESS", options("LessOptions"), [count, two], [Tensor("bool", (1,))])
    fields = options("IfOptions", thenSubgraphIndex=3, elseSubgraphIndex=4)
    body.outputs = [increment(body, count), body.op("IF", fields, [early, x], [tensor("int16")])]
    step, same = Graph(), Graph()
    step.outputs = [change(step, "int16", step.input(tensor("int16")))]
    same.outputs = [same.input(tensor("int16"))]
    draw = Draw(f"while/{name}")
    yield Case(name, model([main, below(state, 5), body, step, same]), [[scalar(0), values(draw, "int16")]])
    for dtype in ("float32", "int8"):
        name = f"{dtype}_state_in_the_body"
        state = [counter(), counter(), tensor(dtype)]
        main = Graph()
        ids = [main.input(fields) for fields in state]
        main.outputs = main.op("WHILE", while_options(1, 2), ids, state)[1:]
        body = Graph()
        count, limit, x = [body.input(fields) for fields in state]
        body.outputs = [increment(body, count), limit, with_state(body, dtype, x)]
        draw = Draw(f"while/{name}")
        runs = [[scalar(0), scalar(rounds), values(draw, dtype)] for rounds in (2, 1, 0, 3)]
        yield Case(name, model([main, below(state), body]), runs)
