//! Figures beside those that are committed: what changed, and what grew.

use super::device::Cost;

/// Instructions may differ by this fraction between versions of QEMU, whose timer is read at block boundaries.
const INSTRUCTION_SLACK: f64 = 0.005;

/// Name, figure and whether a small difference is allowed.
fn figures(cost: &Cost) -> Vec<(String, u64, bool)> {
    let mut figures = vec![
        ("code".to_owned(), cost.code_bytes, false),
        ("static RAM".to_owned(), cost.static_ram_bytes, false),
        ("arena".to_owned(), cost.arena_bytes, false),
        ("stack".to_owned(), cost.stack_bytes, false),
        ("init instructions".to_owned(), cost.init_instructions, true),
        (
            "instructions per inference".to_owned(),
            cost.instructions_per_inference,
            true,
        ),
    ];
    figures.extend(
        cost.ops
            .iter()
            .enumerate()
            .map(|(index, (op, count))| (format!("op {index} {op}"), *count, true)),
    );
    figures
}

/// What grew beyond `before`, by name.
pub fn growth(machine: &str, now: &Cost, before: Option<&Cost>) -> Vec<String> {
    let Some(before) = before else {
        return vec![format!("{machine}: there is no baseline")];
    };
    let pairs = figures(now).into_iter().zip(figures(before));
    pairs
        .filter(|((_, now, slack), (_, before, _))| {
            let allowed = if *slack {
                *before as f64 * (1.0 + INSTRUCTION_SLACK) + 100.0
            } else {
                *before as f64
            };
            *now as f64 > allowed
        })
        .map(|((name, figure, _), (_, old, _))| {
            let symbols = if name == "code" {
                grown_symbols(now, before)
            } else {
                String::new()
            };
            format!("{machine}: {name}: {old} -> {figure}{symbols}")
        })
        .collect()
}

/// The functions that account for most of what the code grew by, where symbols are known of both.
fn grown_symbols(now: &Cost, before: &Cost) -> String {
    const SHOWN: usize = 5;
    if before.symbols.is_empty() {
        return String::new();
    }
    let mut grown: Vec<(i128, &str)> = now
        .symbols
        .iter()
        .map(|(name, bytes)| {
            let old = before.symbols.get(name).copied().unwrap_or(0);
            (i128::from(*bytes) - i128::from(old), name.as_str())
        })
        .filter(|(growth, _)| *growth > 0)
        .collect();
    grown.sort_by(|a, b| b.cmp(a));
    let shown: Vec<_> = grown
        .iter()
        .take(SHOWN)
        .map(|(growth, name)| format!("{name} {growth:+}"))
        .collect();
    if shown.is_empty() {
        String::new()
    } else {
        format!(" ({})", shown.join(", "))
    }
}

/// What differs from `before`, by name; none where nothing does, or there is no baseline.
pub fn changes(name: &str, now: &Cost, before: Option<&Cost>) -> Option<String> {
    let pairs = figures(now).into_iter().zip(figures(before?));
    let changed: Vec<_> = pairs
        .filter(|((_, now, _), (_, before, _))| now != before)
        .map(|((figure, now, _), (_, before, _))| {
            format!(
                "{figure} {now} ({:+})",
                i128::from(now) - i128::from(before)
            )
        })
        .collect();
    (!changed.is_empty()).then(|| format!("{name}, beside the baseline: {}", changed.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Cost, changes, growth};

    fn cost() -> Cost {
        Cost {
            code_bytes: 10_000,
            static_ram_bytes: 100,
            arena_bytes: 7_000,
            stack_bytes: 600,
            init_instructions: 50_000,
            instructions_per_inference: 1_000_000,
            ops: vec![("CONV_2D".to_owned(), 800_000)],
            symbols: BTreeMap::from([("conv".to_owned(), 400), ("main".to_owned(), 90)]),
        }
    }

    #[test]
    fn growth_names_what_grew() {
        assert!(growth("m", &cost(), Some(&cost())).is_empty());
        let grown = Cost {
            code_bytes: 10_001,
            ops: vec![("CONV_2D".to_owned(), 900_000)],
            symbols: BTreeMap::from([("conv".to_owned(), 401), ("main".to_owned(), 90)]),
            ..cost()
        };
        let said = growth("m", &grown, Some(&cost())).join("; ");
        assert!(
            said.contains("code: 10000 -> 10001 (conv +1)")
                && said.contains("op 0 CONV_2D: 800000 -> 900000"),
            "{said}"
        );
        let shrunk = Cost {
            code_bytes: 9_000,
            ..cost()
        };
        assert!(growth("m", &shrunk, Some(&cost())).is_empty());
        let said = changes("m", &shrunk, Some(&cost())).unwrap();
        assert!(said.contains("code 9000 (-1000)"), "{said}");
        assert_eq!(changes("m", &cost(), Some(&cost())), None);
        assert_eq!(growth("m", &cost(), None), ["m: there is no baseline"]);
    }

    #[test]
    fn another_qemu_may_count_a_little_otherwise() {
        let near = Cost {
            instructions_per_inference: 1_004_000,
            ..cost()
        };
        assert!(growth("m", &near, Some(&cost())).is_empty());
    }
}
