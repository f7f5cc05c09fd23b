//! `fuse_activation`, text in, text out.

use ember_compress::passes::FuseActivation;

use crate::{check, unchanged};

#[test]
fn a_relu_goes_into_each_operator_that_can_apply_it() {
    check(
        &FuseActivation,
        "graph g
        input x [1,2,2,1]
        constant f [1,1,1,1] = 1
        constant b [1] = 0
        constant w [1,4] = fill 1
        a = conv_2d(x, f, b) padding=valid
        a_relu = relu(a)
        c = depthwise_conv_2d(a_relu, f, b) padding=valid
        c_relu6 = relu6(c)
        d = add(a_relu, c_relu6)
        d_relu = relu(d)
        flat [1,4] = reshape(d_relu)
        e = fully_connected(flat, w, b)
        e_relu = relu(e)
        output e_relu",
        "graph g
        input x [1,2,2,1]
        constant f [1,1,1,1] = 1
        constant b [1] = 0
        constant w [1,4] = fill 1
        a = conv_2d(x, f, b) padding=valid activation=relu
        c = depthwise_conv_2d(a, f, b) padding=valid activation=relu6
        d = add(a, c) activation=relu
        flat [1,4] = reshape(d)
        e = fully_connected(flat, w, b) activation=relu
        output e",
        &[
            "relu \"a_relu\" into conv_2d \"a\"",
            "relu6 \"c_relu6\" into depthwise_conv_2d \"c\"",
            "relu \"d_relu\" into add \"d\"",
            "relu \"e_relu\" into fully_connected \"e\"",
        ],
    );
}

#[test]
fn activations_in_a_row_become_the_narrower_one() {
    check(
        &FuseActivation,
        "graph g
        input x [1,2]
        a = add(x, x) activation=relu
        b = relu6(a)
        c = relu(b)
        d = add(c, c) activation=relu_n1_to_1
        output d",
        "graph g
        input x [1,2]
        a = add(x, x) activation=relu6
        d = add(a, a) activation=relu_n1_to_1
        output d",
        &["relu6 \"b\" into add \"a\"", "relu \"c\" into add \"a\""],
    );
}

#[test]
fn a_sequence_that_is_no_single_activation_stays() {
    unchanged(
        &FuseActivation,
        "graph g\ninput x [1,2]\na = add(x, x) activation=relu_n1_to_1\nb = relu(a)\noutput b",
    );
}

#[test]
fn a_result_that_somebody_else_reads_stays() {
    let text = "graph g\ninput x [1,2]\na = add(x, x)\nb = relu(a)\nc = add(a, b)\noutput c";
    unchanged(&FuseActivation, text);
    let text = "graph g\ninput x [1,2]\na = add(x, x)\nb = relu(a)\noutput b\noutput a";
    unchanged(&FuseActivation, text);
}

#[test]
fn an_operator_without_an_activation_stays() {
    unchanged(
        &FuseActivation,
        "graph g
        input x [1,2,2,1]
        a = max_pool_2d(x) size=[2,2] padding=valid
        b = relu(a)
        c = relu(x)
        output b
        output c",
    );
}
