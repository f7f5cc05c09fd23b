//! A table as Markdown, its columns padded so that the text reads as a table without being rendered.

use crate::table::{Align, Table};

/// The table's lines, each ending in a newline.
pub(crate) fn table(table: &Table) -> String {
    let mut lines: Vec<Vec<String>> = vec![
        table
            .columns
            .iter()
            .map(|column| escape(&column.heading))
            .collect(),
    ];
    for row in &table.rows {
        lines.push(
            row.iter()
                .map(|cell| escape(&table.shown(cell).marked()))
                .collect(),
        );
    }
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|c| {
            lines
                .iter()
                .map(|line| width(&line[c]))
                .max()
                .unwrap_or(0)
                .max(3)
        })
        .collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        text.push('|');
        for ((cell, column), room) in line.iter().zip(&table.columns).zip(&widths) {
            let padding = " ".repeat(room - width(cell));
            match column.align {
                Align::Left => text.push_str(&format!(" {cell}{padding} |")),
                Align::Right => text.push_str(&format!(" {padding}{cell} |")),
            }
        }
        text.push('\n');
        if number == 0 {
            text.push('|');
            for (column, room) in table.columns.iter().zip(&widths) {
                let dashes = "-".repeat(room - 1);
                match column.align {
                    Align::Left => text.push_str(&format!(" -{dashes} |")),
                    Align::Right => text.push_str(&format!(" {dashes}: |")),
                }
            }
            text.push('\n');
        }
    }
    text
}

/// Every character used here is one column wide.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Keeps a name from ending its cell, its row, or becoming a tag.
fn escape(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('\n', " ")
        .replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{figures, words};

    #[test]
    fn a_name_cannot_end_its_cell() {
        let mut written = Table::new("T", "mnist", vec![words("Name"), figures("Bytes")]);
        written.row(vec!["a|b".into(), "12".into()]);
        assert_eq!(
            table(&written),
            "| Name | Bytes |\n| ---- | ----: |\n| a\\|b |    12 |\n"
        );
    }
}
