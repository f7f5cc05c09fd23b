//! `drop_dead`, text in, text out.

use ember_compress::passes::DropDead;

use crate::{check, unchanged};

#[test]
fn what_no_output_needs_goes_and_inputs_stay() {
    check(
        &DropDead,
        "graph g
        input x [1,4]
        input unused [1,1]
        constant w [2,4] = fill 1
        constant b [2] = fill 0
        constant orphan [3] = 1 2 3
        dense = fully_connected(x, w, b)
        y = relu(x)
        z = softmax(dense)
        output y",
        "graph g
        input x [1,4]
        input unused [1,1]
        y = relu(x)
        output y",
        &["w, b, orphan, dense, z removed: no output needs them"],
    );
}

#[test]
fn a_value_that_is_needed_once_stays() {
    unchanged(
        &DropDead,
        "graph g
        input x [1,4]
        constant c [1,4] = fill 1
        a = relu(x)
        b = add(a, c)
        output b
        output x",
    );
}
