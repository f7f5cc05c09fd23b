//! `fold_constants`, text in, text out.

use ember_compress::passes::FoldConstants;

use crate::{check, unchanged};

#[test]
fn what_depends_on_constants_alone_becomes_one() {
    check(
        &FoldConstants,
        "graph g
        input x [1,2]
        constant a [1,2] = 1 -2
        b = relu(a)
        c = add(b, a) activation=relu
        y = add(x, c)
        output y",
        "graph g
        input x [1,2]
        constant a [1,2] = 1 -2
        constant b [1,2] = 1 0
        constant c [1,2] = 2 0
        y = add(x, c)
        output y",
        &[
            "relu \"b\" worked out: its operands are constants",
            "add \"c\" worked out: its operands are constants",
        ],
    );
}

#[test]
fn a_constant_taken_twice_is_one_operand() {
    check(
        &FoldConstants,
        "graph g\ninput x [1,2]\nconstant a [1,2] = 1 -2\nb = add(a, a)\ny = add(x, b)\noutput y",
        "graph g\ninput x [1,2]\nconstant a [1,2] = 1 -2\nconstant b [1,2] = 2 -4\ny = add(x, b)\noutput y",
        &["add \"b\" worked out: its operands are constants"],
    );
}

#[test]
fn an_output_and_what_an_input_reaches_stay() {
    unchanged(
        &FoldConstants,
        "graph g\ninput x [1,2]\nconstant a [1,2] = 1 -2\nb = relu(a)\ny = relu(x)\noutput y\noutput b",
    );
}
