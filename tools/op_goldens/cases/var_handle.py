"""VAR_HANDLE: which handles are of one variable, and where handles can go."""

from case import Case, Draw
from cases.flow import assign, change, handle, read, resting, scalar, tensor, truth, values
from single_op import Tensor, constant
from subgraphs import Graph, model, options


def runs(name, dtype, count=3):
    draw = Draw(f"var_handle/{name}")
    return [[values(draw, dtype)] for _ in range(count - 1)] + [[resting(dtype)]]


def cases():
    for name, first, second in (
        ("float32_two_names", ("a", None), ("b", None)),
        ("float32_one_name_twice", ("a", None), ("a", None)),
        ("float32_containers", ("a", "left"), ("a", "right")),
        ("float32_empty_container", ("a", ""), ("a", "")),
    ):
        main = Graph()
        x = main.input(tensor("float32"))
        a, b = handle(main, *first), handle(main, *second)
        # Assigned before they are read: LiteRT has no values to begin with, and TFLM's Python package one variable only.
        assign(main, a, x)
        assign(main, b, change(main, "float32", x))
        main.outputs = [read(main, a, "float32"), read(main, b, "float32")]
        yield Case(name, model([main]), runs(name, "float32"))
    name = "int8_handle_in_branch"
    main = Graph()
    condition, x = main.input(Tensor("bool", (1,))), main.input(tensor("int8"))
    fields = options("IfOptions", thenSubgraphIndex=1, elseSubgraphIndex=2)
    main.outputs = [main.op("IF", fields, [condition, x], [tensor("int8")])]
    keep, give = Graph(), Graph()
    y = keep.input(tensor("int8"))
    assign(keep, handle(keep, "kept"), y)
    keep.outputs = [change(keep, "int8", y)]
    give.input(tensor("int8"))
    give.outputs = [read(give, handle(give, "kept"), "int8")]
    draw = Draw(f"var_handle/{name}")
    turns = [[truth(turn), values(draw, "int8")] for turn in (False, True, False)]
    yield Case(name, model([main, keep, give]), [*turns, [truth(True), resting("int8")]])
    name = "float32_handle_through_loop"
    state = [Tensor("int32", (1,)), Tensor("resource", (1,))]
    main = Graph()
    x = main.input(tensor("float32"))
    variable = handle(main, "sum")
    assign(main, variable, x)
    zero = main.add(constant("int32", [0]))
    fields = options("WhileOptions", condSubgraphIndex=1, bodySubgraphIndex=2)
    main.op("WHILE", fields, [zero, variable], state)
    main.outputs = [read(main, variable, "float32")]
    assign(main, variable, main.add(constant("float32", resting("float32"))))
    condition, body = Graph(), Graph()
    ids = [condition.input(tensor) for tensor in state]
    limit = condition.add(constant("int32", scalar(4)))
    condition.outputs = [condition.op("LESS", options("LessOptions"), [ids[0], limit], [Tensor("bool", (1,))])]
    count, own = [body.input(tensor) for tensor in state]
    one = body.add(constant("int32", [1]))
    assign(body, own, change(body, "float32", read(body, own, "float32")))
    body.outputs = [body.op("ADD", options("AddOptions"), [count, one], [Tensor("int32", (1,))]), own]
    yield Case(name, model([main, condition, body]), runs(name, "float32"))
