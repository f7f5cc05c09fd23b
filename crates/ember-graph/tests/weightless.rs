//! Operators on activations alone: what they make, their text, and what is refused.

use ember_graph::eval::evaluate;
use ember_graph::text::{self, Constants};

/// The result of a graph with one input of this shape on 1, 2, 3, … .
fn result(shape: &str, count: usize, node: &str) -> Vec<f32> {
    let text = format!("graph g\ninput x {shape}\ny = {node}\noutput y");
    let graph = text::parse(&text).unwrap();
    let printed = text::print(&graph, Constants::Inline);
    assert_eq!(text::parse(&printed).unwrap(), graph, "{printed}");
    let input: Vec<f32> = (1..=count).map(|number| number as f32).collect();
    evaluate(&graph, 1, &[&input]).unwrap().remove(0)
}

#[track_caller]
fn refused(shape: &str, node: &str, expected: &str) {
    let text = format!("graph g\ninput x {shape}\ny = {node}\noutput y");
    let said = text::parse(&text).unwrap_err().to_string();
    assert!(said.contains(expected), "{said}");
}

#[test]
fn moves_put_elements_where_they_say() {
    let six = |node: &str| result("[1,2,3]", 6, node);
    assert_eq!(
        six("transpose(x) order=[0,2,1]"),
        [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
    );
    assert_eq!(
        six("strided_slice(x) begin=[0,1,0] end=[1,2,3] step=[1,1,2]"),
        [4.0, 6.0]
    );
    assert_eq!(
        six("concatenation(x, x) axis=2"),
        [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 4.0, 5.0, 6.0]
    );
}

#[test]
fn reductions_and_products_are_those_by_hand() {
    let six = |node: &str| result("[1,2,3]", 6, node);
    assert_eq!(six("sum(x) axes=[2]"), [6.0, 15.0]);
    assert_eq!(six("mean(x) axes=[1]"), [2.5, 3.5, 4.5]);
    assert_eq!(six("reduce_max(x) axes=[1,2]"), [6.0]);
    assert_eq!(six("reduce_min(x) axes=[2]"), [1.0, 4.0]);
    assert_eq!(
        six("batch_matmul(x, x) turned=true"),
        [14.0, 32.0, 32.0, 77.0]
    );
}

#[test]
fn images_are_resized() {
    let four = |node: &str| result("[1,1,2,2]", 4, node);
    assert_eq!(
        four("resize_nearest_neighbor(x) size=[1,4]"),
        [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]
    );
    assert_eq!(
        four("resize_bilinear(x) size=[1,3] centers=corners"),
        [1.0, 2.0, 2.0, 3.0, 3.0, 4.0]
    );
    let half = four("resize_bilinear(x) size=[1,4] centers=half");
    assert_eq!(half, [1.0, 2.0, 1.5, 2.5, 2.5, 3.5, 3.0, 4.0]);
}

#[test]
fn a_transposed_convolution_spreads_its_input() {
    let text = "graph g
        input x [1,1,2,1]
        constant f [1,1,3,1] = 1 10 100
        constant b [1] = 0.5
        y = transpose_conv(x, f, b) size=[1,5] stride=[1,2] padding=valid
        output y";
    let graph = text::parse(text).unwrap();
    let got = evaluate(&graph, 1, &[&[1.0, 2.0]]).unwrap().remove(0);
    assert_eq!(got, [1.5, 10.5, 102.5, 20.5, 200.5]);
    assert_eq!(ember_graph::macs(&graph), 2 * 3);
}

#[test]
fn what_does_not_fit_is_refused() {
    for (node, expected) in [
        ("transpose(x) order=[1,0,2]", "the batch first"),
        ("transpose(x) order=[0,1]", "must name each dimension once"),
        ("sum(x) axes=[0]", "leave the batch"),
        ("sum(x) axes=[2,1]", "must ascend"),
        ("sum(x)", "axes=[NUMBERS] is missing"),
        (
            "strided_slice(x) begin=[0,0,0] end=[1,2,4] step=[1,1,1]",
            "cannot take",
        ),
        (
            "strided_slice(x) begin=[0,1,0] end=[1,1,3] step=[1,1,1]",
            "cannot take",
        ),
        ("concatenation(x, x) axis=0", "a dimension behind the batch"),
        ("concatenation() axis=1", "takes 1 operands and got 0"),
        (
            "batch_matmul(x, x)",
            "the rows of the second matrix must be 3, got 2",
        ),
        ("leaky_relu(x)", "slope=NUMBER is missing"),
        ("tanh(x, x)", "takes 1 operands and got 2"),
        ("mul(x)", "takes 2 operands and got 1"),
        ("abs(x) slope=1", "abs has no attribute"),
        ("resize_bilinear(x) size=[2,2]", "must have 4 dimensions"),
    ] {
        refused("[1,2,3]", node, expected);
    }
    refused(
        "[1,2,3,1]",
        "resize_bilinear(x) size=[0,2]",
        "must be at least 1",
    );
}
