//! `fold_batch_norm`, text in, text out.

use ember_compress::passes::FoldBatchNorm;

use crate::{check, unchanged};

/// Factors 1 and 2, summands 1 and -8 with an epsilon of 1.
const NORM: &str = "constant gamma [2] = 2 2
        constant beta [2] = 1 0
        constant mean [2] = 0 4
        constant variance [2] = 3 0";

#[test]
fn a_convolution_takes_factors_and_summands() {
    check(
        &FoldBatchNorm,
        &format!(
            "graph g
        input x [1,2,2,1]
        constant f [2,1,2,1] = 1 2 3 4
        constant b [2] = 0.5 -1
        {NORM}
        y = conv_2d(x, f, b) padding=valid
        n = batch_norm(y, gamma, beta, mean, variance) epsilon=1
        r = relu(n)
        output r"
        ),
        &format!(
            "graph g
        input x [1,2,2,1]
        constant f [2,1,2,1] = 1 2 6 8
        constant b [2] = 1.5 -10
        {NORM}
        y = conv_2d(x, f, b) padding=valid
        r = relu(y)
        output r"
        ),
        &["batch_norm \"n\" into conv_2d \"y\""],
    );
}

#[test]
fn a_dense_layer_whose_weights_another_one_has_too_gets_its_own() {
    check(
        &FoldBatchNorm,
        &format!(
            "graph g
        input x [1,2]
        constant w [2,2] = 1 2 3 4
        constant b [2] = 0 0.5
        {NORM}
        y = fully_connected(x, w, b)
        n = batch_norm(y, gamma, beta, mean, variance) epsilon=1
        z = fully_connected(n, w, b)
        output z"
        ),
        &format!(
            "graph g
        input x [1,2]
        constant w [2,2] = 1 2 3 4
        constant b [2] = 0 0.5
        {NORM}
        constant w_1 [2,2] = 1 2 6 8
        constant b_1 [2] = 1 -7
        y = fully_connected(x, w_1, b_1)
        z = fully_connected(y, w, b)
        output z"
        ),
        &["batch_norm \"n\" into fully_connected \"y\""],
    );
}

#[test]
fn a_depthwise_filter_has_its_channels_last() {
    check(
        &FoldBatchNorm,
        &format!(
            "graph g
        input x [1,2,2,2]
        constant f [1,1,2,2] = 1 2 3 4
        constant b [2] = 0 0
        {NORM}
        y = depthwise_conv_2d(x, f, b) padding=same
        n = batch_norm(y, gamma, beta, mean, variance) epsilon=1
        output n"
        ),
        &format!(
            "graph g
        input x [1,2,2,2]
        constant f [1,1,2,2] = 1 4 3 8
        constant b [2] = 1 -8
        {NORM}
        y = depthwise_conv_2d(x, f, b) padding=same
        output y"
        ),
        &["batch_norm \"n\" into depthwise_conv_2d \"y\""],
    );
}

#[test]
fn a_layer_with_an_activation_or_another_reader_stays() {
    for (activation, output) in [("relu", "n"), ("none", "y")] {
        unchanged(
            &FoldBatchNorm,
            &format!(
                "graph g
                input x [1,2]
                constant w [2,2] = 1 2 3 4
                constant b [2] = 0 0.5
                {NORM}
                y = fully_connected(x, w, b) activation={activation}
                n = batch_norm(y, gamma, beta, mean, variance)
                output n
                output {output}"
            ),
        );
    }
}

#[test]
fn a_batch_norm_of_something_else_stays() {
    unchanged(
        &FoldBatchNorm,
        &format!(
            "graph g\ninput x [1,2]\n{NORM}\ny = batch_norm(x, gamma, beta, mean, variance)\noutput y"
        ),
    );
}
