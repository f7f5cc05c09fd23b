//! `lower_batch_norm`, text in, text out.

use ember_compress::passes::LowerBatchNorm;

use crate::check;

/// Factors 1 and 2, summands 1 and -8 with an epsilon of 1.
const NORM: &str = "constant gamma [2] = 2 2
        constant beta [2] = 1 0
        constant mean [2] = 0 4
        constant variance [2] = 3 0";

#[test]
fn on_an_image_it_is_a_depthwise_convolution() {
    check(
        &LowerBatchNorm,
        &format!(
            "graph g
        input x [1,3,4,2]
        {NORM}
        n = batch_norm(x, gamma, beta, mean, variance) epsilon=1
        output n"
        ),
        &format!(
            "graph g
        input x [1,3,4,2]
        {NORM}
        constant n.filter [1,1,1,2] = 1 2
        constant n.bias [2] = 1 -8
        n = depthwise_conv_2d(x, n.filter, n.bias) padding=valid
        output n"
        ),
        &["batch_norm \"n\" as a depthwise_conv_2d of one tap"],
    );
}

#[test]
fn other_shapes_become_images_for_it() {
    check(
        &LowerBatchNorm,
        &format!(
            "graph g
        input x [1,3,2]
        {NORM}
        n = batch_norm(x, gamma, beta, mean, variance) epsilon=1
        output n"
        ),
        &format!(
            "graph g
        input x [1,3,2]
        {NORM}
        constant n.filter [1,1,1,2] = 1 2
        constant n.bias [2] = 1 -8
        n.image [1,1,3,2] = reshape(x)
        n.normalized = depthwise_conv_2d(n.image, n.filter, n.bias) padding=valid
        n [1,3,2] = reshape(n.normalized)
        output n"
        ),
        &["batch_norm \"n\" as a depthwise_conv_2d of one tap"],
    );
}
