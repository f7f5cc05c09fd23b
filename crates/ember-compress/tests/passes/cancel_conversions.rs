//! `cancel_conversions`, text in, text out.

use ember_compress::passes::CancelConversions;

use crate::{check, unchanged};

#[test]
fn both_kinds_of_pairs_go() {
    check(
        &CancelConversions,
        "graph g
        input x [1,2]
        a = quantize(x)
        b = dequantize(a)
        c = relu(b)
        d = dequantize(c)
        e = quantize(d)
        f = add(e, d)
        output f",
        "graph g
        input x [1,2]
        c = relu(x)
        d = dequantize(c)
        f = add(c, d)
        output f",
        &[
            "quantize \"a\" and dequantize \"b\" cancel",
            "dequantize \"d\" and quantize \"e\" cancel",
        ],
    );
}

#[test]
fn an_output_stays_a_nodes_own() {
    unchanged(
        &CancelConversions,
        "graph g\ninput x [1,2]\na = quantize(x)\nb = dequantize(a)\noutput b",
    );
}

#[test]
fn two_of_a_kind_stay() {
    unchanged(
        &CancelConversions,
        "graph g\ninput x [1,2]\na = quantize(x)\nb = quantize(a)\noutput b",
    );
}
