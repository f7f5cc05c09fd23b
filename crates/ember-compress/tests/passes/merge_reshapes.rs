//! `merge_reshapes`, text in, text out.

use ember_compress::passes::MergeReshapes;

use crate::{check, unchanged};

#[test]
fn the_last_of_a_row_remains() {
    check(
        &MergeReshapes,
        "graph g
        input x [1,2,3,4]
        a [1,24] = reshape(x)
        b [1,4,6] = reshape(a)
        c [1,6,4] = reshape(b)
        y = relu(c)
        output y",
        "graph g
        input x [1,2,3,4]
        c [1,6,4] = reshape(x)
        y = relu(c)
        output y",
        &[
            "reshape \"b\" skips reshape \"a\"",
            "reshape \"c\" skips reshape \"b\"",
        ],
    );
}

#[test]
fn there_and_back_is_nothing() {
    check(
        &MergeReshapes,
        "graph g
        input x [1,4]
        r = relu(x)
        a [1,2,2] = reshape(r)
        b [1,4] = reshape(a)
        y = softmax(b)
        output y",
        "graph g
        input x [1,4]
        r = relu(x)
        y = softmax(r)
        output y",
        &[
            "reshape \"b\" skips reshape \"a\"",
            "reshape \"b\" removed: \"r\" has its shape",
        ],
    );
}

#[test]
fn a_reshape_that_others_read_is_skipped_and_stays() {
    check(
        &MergeReshapes,
        "graph g
        input x [1,4]
        a [1,2,2] = reshape(x)
        b [1,4,1] = reshape(a)
        output a
        output b",
        "graph g
        input x [1,4]
        a [1,2,2] = reshape(x)
        b [1,4,1] = reshape(x)
        output a
        output b",
        &["reshape \"b\" skips reshape \"a\""],
    );
}

#[test]
fn an_output_does_not_become_an_input_or_another_output() {
    unchanged(
        &MergeReshapes,
        "graph g\ninput x [1,4]\na [1,4] = reshape(x)\noutput a",
    );
    unchanged(
        &MergeReshapes,
        "graph g\ninput x [1,4]\nr = relu(x)\na [1,4] = reshape(r)\noutput a\noutput r",
    );
}
