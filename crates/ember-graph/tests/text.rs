//! The text form: round trip, defaults, and an error with the line for whatever is wrong.

use ember_graph::text::{Constants, parse, print};
use ember_graph::{GraphError, random};
use proptest::prelude::*;

proptest! {
    #[test]
    fn parse_undoes_print(seed: u64) {
        let graph = random::unoptimized(seed, 10)?;
        let text = print(&graph, Constants::Inline);
        prop_assert_eq!(parse(&text)?, graph, "{}", text);
    }

    #[test]
    fn any_text_is_a_graph_or_an_error(text in "[ -~\n]{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn a_damaged_text_is_a_graph_or_an_error(seed: u64, at: prop::sample::Index, with in "[ -~\n]") {
        let mut text = print(&random::graph(seed, 6)?, Constants::Inline);
        let at = at.index(text.len());
        text.replace_range(at..=at, &with);
        let _ = parse(&text);
    }
}

#[test]
fn numbers_read_back_bit_for_bit() {
    let text = "graph g\ninput x [1,5]\nconstant c [1,5] = 0.1 -0 1e-45 3.4028235e38 16777216\nadd [1,5] = add(x, c) activation=none\noutput add\n";
    let graph = parse(text).unwrap();
    let (_, _, numbers) = graph.constants().next().unwrap();
    let bits: Vec<u32> = numbers.iter().map(|number| number.to_bits()).collect();
    assert_eq!(
        bits,
        [0x3dcc_cccd, 0x8000_0000, 1, 0x7f7f_ffff, 0x4b80_0000]
    );
    assert_eq!(parse(&print(&graph, Constants::Inline)).unwrap(), graph);
}

#[test]
fn defaults_may_be_left_out() {
    let long = parse(
        "graph g
        input image [1,4,4,1]
        constant filter [2,3,3,1] = fill 0.5
        constant bias [2] = -1 0.25
        conv [1,2,2,2] = conv_2d(image, filter, bias) stride=[1,1] dilation=[1,1] padding=valid activation=none
        flat [1,8] = reshape(conv)
        p [1,8] = softmax(flat) beta=1
        output p",
    );
    let short = parse(
        "# the same\ngraph g
        input image [1, 4, 4, 1]
        constant filter [2,3,3,1] = fill 0.5   # taps
        constant bias [2] = -1 0.25
        conv = conv_2d(image, filter, bias) padding=valid
        flat [1,8] = reshape(conv)
        p = softmax(flat)
        output p",
    );
    assert_eq!(long.unwrap(), short.unwrap());
}

#[test]
fn every_fault_names_its_line() {
    let head = "graph g\ninput x [1,4]\n";
    for (line, expected) in [
        ("y = relu(z)", "\"z\" is not defined above"),
        ("y = sigmoid(x)", "no operator \"sigmoid\""),
        ("y = relu(x) beta=2", "relu has no attribute \"beta\""),
        ("y = relu(x, x)", "takes 1 operands and got 2"),
        ("y [1,5] = relu(x)", "its relu makes [1, 4]"),
        ("y [1,5] = reshape(x)", "number of elements differs"),
        ("y = reshape(x)", "needs its shape"),
        (
            "y = max_pool_2d(x) padding=valid",
            "size=[HEIGHT,WIDTH] is missing",
        ),
        (
            "y = max_pool_2d(x) size=[2,2] padding=valid",
            "must have 4 dimensions",
        ),
        (
            "y = max_pool_2d(x) size=[2,2] padding=full",
            "no padding \"full\"",
        ),
        (
            "y = max_pool_2d(x) size=[2,2]",
            "padding=same or padding=valid is missing",
        ),
        ("y = softmax(x) beta=-1", "must be positive"),
        ("y = softmax(x) beta=1 beta=1", "given twice"),
        ("x = relu(x)", "defined twice"),
        ("constant c [2] = 1 2 3", "needs 2 numbers, found 3"),
        (
            "constant c [2]",
            "expected \"= NUMBERS\" or \"= fill NUMBER\"",
        ),
        ("constant c [2] = 1 NaN", "\"NaN\" is not a finite number"),
        ("constant c [1,a] = 1", "\"a\" is not a dimension"),
        ("constant c [99999999999] = fill 1", "cannot be counted"),
        ("input z 4", "expected \"[NUMBERS]\""),
        ("output x y", "expected the end of the line"),
        ("graph h", "two graphs"),
        ("hello", "expected \"input\", \"constant\", \"output\" or"),
    ] {
        let text = format!("{head}{line}\noutput x\n");
        let error = parse(&text).expect_err(line);
        assert!(
            matches!(error, GraphError::Text { line: 3, .. })
                && error.to_string().contains(expected),
            "{line}: {error}"
        );
    }
    assert!(parse("").unwrap_err().to_string().contains("graph NAME"));
}
