//! How source files and documents look: each file says what it is for, stays small enough to need no map, and every
//! path that a document names exists.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::{files_under, root, shown};

/// Lines after which a file is asked to be split; its tests do not count.
const MAX_LINES: usize = 600;
/// A file with one of these names has no subject.
const NAMELESS: &[&str] = &["common", "utils", "util", "helpers", "helper", "misc"];
/// What stands where something is not done. In two parts, so that this very file does not contain it.
const HOLES: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
];
/// Documents whose paths must exist.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

pub(super) fn check() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in ["crates", "firmware", "xtask"] {
        for path in files_under(&root().join(folder), &|path| {
            path.extension().is_some_and(|end| end == "rs")
        })? {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", shown(&path)))?;
            found.extend(source_violations(&path, &text));
        }
    }
    for name in DOCUMENTS {
        let path = root().join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", shown(&path)))?;
        found.extend(
            missing_paths(&text)
                .into_iter()
                .map(|missing| format!("{name} names `{missing}`, which is not there")),
        );
    }
    Ok(found)
}

fn source_violations(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//") {
        found.push(format!(
            "{} does not begin by saying what it is for",
            shown(path)
        ));
    }
    let lines = text
        .lines()
        .take_while(|line| *line != "mod tests {")
        .count();
    let is_test = path
        .components()
        .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "benches")));
    if lines > MAX_LINES && !is_test {
        found.push(format!(
            "{} has {lines} lines before its tests: split it",
            shown(path)
        ));
    }
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    if NAMELESS.contains(&stem.as_str()) {
        found.push(format!(
            "{}: find the name of what it is about",
            shown(path)
        ));
    }
    for mark in HOLES.iter().filter(|mark| text.contains(*mark)) {
        found.push(format!("{} has a hole ({mark})", shown(path)));
    }
    found
}

/// Backquoted words of `text` that look like paths of this tree and are not there.
fn missing_paths(text: &str) -> Vec<String> {
    let roots = [
        "crates/",
        "xtask/",
        "firmware/",
        "artifacts/zoo",
        "tools/",
        "docs/",
        ".github/",
        ".ci/",
    ];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            roots.iter().any(|root| word.starts_with(root)) && !word.contains(['<', '*', '{', ' '])
        })
        .filter(|word| !root().join(word).exists())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{MAX_LINES, missing_paths, source_violations};

    #[test]
    fn each_rule_finds_its_violation() {
        let one = |path: &str, text: &str| source_violations(Path::new(path), text).join("; ");
        assert_eq!(one("a.rs", "//! Fine.\n"), "");
        assert!(one("a.rs", "fn main() {}").contains("what it is for"));
        assert!(one("utils.rs", "//! Things.").contains("find the name"));
        assert!(
            one("a.rs", &format!("//! Long.\n{}", "\n".repeat(MAX_LINES))).contains("split it")
        );
        let long = "\n".repeat(MAX_LINES);
        assert_eq!(
            one("a.rs", &format!("//! Tests.\nmod tests {{\n{long}")),
            ""
        );
        assert_eq!(one("tests/a.rs", &format!("//! Cases.\n{long}")), "");
    }

    #[test]
    fn a_document_cannot_name_what_is_not_there() {
        assert_eq!(
            missing_paths("see `xtask/src/main.rs` and `xtask/src/gone.rs`"),
            ["xtask/src/gone.rs"]
        );
        assert!(missing_paths("run `cargo xtask tidy` and `crates/<name>/src`").is_empty());
    }
}
