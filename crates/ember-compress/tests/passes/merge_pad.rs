//! `merge_pad`, text in, text out.

use ember_compress::passes::MergePad;

use crate::{check, unchanged};

fn padded(shape: &str, pad: &str, window: &str) -> String {
    format!(
        "graph g
        input x {shape}
        constant f [1,3,3,1] = fill 1
        constant b [1] = 0
        p = pad(x) {pad}
        y = conv_2d(p, f, b) {window}
        output y"
    )
}

#[test]
fn zeros_where_same_padding_puts_them_become_same_padding() {
    for (shape, pad, window) in [
        ("[1,5,5,1]", "before=[1,1] after=[1,1]", "stride=[1,1]"),
        // An even extent and stride 2: one row of zeros, after the image.
        ("[1,6,6,1]", "after=[1,1]", "stride=[2,2]"),
        // The second row of zeros after the image is not reached.
        ("[1,6,6,1]", "after=[2,2]", "stride=[2,2]"),
        (
            "[1,6,6,1]",
            "before=[2,2] after=[2,2]",
            "stride=[1,1] dilation=[2,2]",
        ),
    ] {
        let before = padded(shape, pad, &format!("{window} padding=valid"));
        let after = format!(
            "graph g
            input x {shape}
            constant f [1,3,3,1] = fill 1
            constant b [1] = 0
            y = conv_2d(x, f, b) {window} padding=same
            output y"
        );
        check(
            &MergePad,
            &before,
            &after,
            &["pad \"p\" into conv_2d \"y\""],
        );
    }
}

#[test]
fn a_pad_that_somebody_else_reads_stays_for_them() {
    let text = |image: &str, padding: &str| {
        format!(
            "graph g
            input x [1,4,4,1]
            constant f [1,3,3,1] = fill 1
            constant b [1] = 0
            p = pad(x) before=[1,1] after=[1,1]
            y = depthwise_conv_2d({image}, f, b) padding={padding}
            output y
            output p"
        )
    };
    let said = ["pad \"p\" into depthwise_conv_2d \"y\""];
    check(&MergePad, &text("p", "valid"), &text("x", "same"), &said);
}

#[test]
fn other_zeros_stay() {
    for (shape, pad, window) in [
        // With stride 2 on an even extent, SAME puts nothing before the image.
        ("[1,6,6,1]", "before=[1,1]", "stride=[2,2] padding=valid"),
        ("[1,5,5,1]", "before=[2,2] after=[0,0]", "padding=valid"),
        ("[1,5,5,1]", "before=[1,1]", "padding=valid"),
        ("[1,5,5,1]", "before=[2,2] after=[2,2]", "padding=valid"),
        ("[1,5,5,1]", "before=[1,1] after=[1,1]", "padding=same"),
    ] {
        unchanged(&MergePad, &padded(shape, pad, window));
    }
}
