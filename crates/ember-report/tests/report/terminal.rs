//! The tables in a terminal fit it, and use no escape codes where none are wanted.

use crate::sample;

use ember_report::TerminalStyle;

#[test]
fn lines_fit_the_width() {
    for width in [80, 100, 140] {
        let style = TerminalStyle {
            width: Some(width),
            colour: false,
        };
        let text = sample::complete().to_terminal(style).unwrap();
        for line in text.lines() {
            assert!(
                line.chars().count() <= usize::from(width),
                "wider than {width}: {line}"
            );
        }
    }
}

#[test]
fn without_colour_there_are_no_escape_codes() {
    let plain = TerminalStyle {
        width: Some(100),
        colour: false,
    };
    assert!(
        !sample::complete()
            .to_terminal(plain)
            .unwrap()
            .contains('\u{1b}')
    );
}

#[test]
fn colours_change_nothing_but_escape_codes() {
    let plain = TerminalStyle {
        width: Some(100),
        colour: false,
    };
    let coloured = TerminalStyle {
        colour: true,
        ..plain
    };
    let text = sample::complete().to_terminal(coloured).unwrap();
    assert!(text.contains('\u{1b}'));
    assert_eq!(
        without_escapes(&text),
        sample::complete().to_terminal(plain).unwrap()
    );
}

fn without_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        if letter == '\u{1b}' {
            rest.by_ref().find(|letter| *letter == 'm');
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[test]
fn every_table_names_the_data_set_and_its_sources() {
    let style = TerminalStyle {
        width: None,
        colour: false,
    };
    let text = sample::complete().to_terminal(style).unwrap();
    assert!(text.contains("Flash, RAM and total (dataset: mnist)"));
    assert!(text.contains("†1 measured: TensorFlow 2.21"));
}
