//! The one direction of dependencies. What is not in this table is forbidden.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::workspace::{self, Member};

/// Each crate with the workspace crates that it may depend on. ARCHITECTURE.md says why.
const LAYERS: &[(&str, &[&str])] = &[
    ("ember-core", &[]),
    ("ember-link", &["ember-core"]),
    ("ember-tflite", &["ember-core"]),
    ("ember-kernels", &["ember-core"]),
    (
        "ember-micro",
        &["ember-core", "ember-kernels", "ember-tflite"],
    ),
    (
        "ember-ethos-u",
        &["ember-core", "ember-micro", "ember-tflite"],
    ),
    ("ember-slot", &["ember-core"]),
    (
        "firmware",
        &["ember-kernels", "ember-link", "ember-micro", "ember-slot"],
    ),
    ("ember-progress", &[]),
    ("ember-data", &[]),
    ("ember-report", &[]),
    ("ember-graph", &["ember-core", "ember-kernels"]),
    (
        "ember-train",
        &[
            "ember-compress",
            "ember-core",
            "ember-data",
            "ember-graph",
            "ember-progress",
        ],
    ),
    (
        "ember-compress",
        &["ember-core", "ember-data", "ember-graph"],
    ),
    (
        "ember-codegen",
        &[
            "ember-core",
            "ember-graph",
            "ember-kernels",
            "ember-micro",
            "ember-tflite",
        ],
    ),
    (
        "ember-onnx",
        &[
            "ember-codegen",
            "ember-compress",
            "ember-core",
            "ember-graph",
            "ember-progress",
        ],
    ),
    (
        "ember-lite",
        &["ember-core", "ember-kernels", "ember-micro", "ember-tflite"],
    ),
    ("ember-gpu", &["ember-core", "ember-lite", "ember-tflite"]),
    ("ember-deploy", &["ember-core", "ember-link", "ember-slot"]),
    (
        "ember-probe",
        &["ember-deploy", "ember-link", "ember-progress", "ember-slot"],
    ),
    (
        "ember-testkit",
        &["ember-core", "ember-lite", "ember-micro", "ember-tflite"],
    ),
    (
        "xtask",
        &[
            "ember-codegen",
            "ember-compress",
            "ember-core",
            "ember-data",
            "ember-deploy",
            "ember-ethos-u",
            "ember-graph",
            "ember-lite",
            "ember-progress",
            "ember-report",
            "ember-slot",
            "ember-tflite",
        ],
    ),
];

/// Heavy crates, each behind one crate of ours.
const BEHIND: &[(&str, &str)] = &[
    ("armagnac", "ember-deploy"),
    ("burn", "ember-train"),
    ("burn-tensor", "ember-gpu"),
    ("comfy-table", "ember-report"),
    ("indicatif", "ember-progress"),
    ("onnx-ir", "ember-onnx"),
    ("plotters", "ember-report"),
    ("probe-rs", "ember-probe"),
    ("ureq", "ember-data"),
];

pub(super) fn check() -> Result<Vec<String>> {
    Ok(violations(&workspace::members()?))
}

fn violations(members: &BTreeMap<String, Member>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, member) in members {
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| layer == name) else {
            found.push(format!(
                "{name} is not in the table of layers (xtask/src/tidy/layers.rs)"
            ));
            continue;
        };
        for dependency in member
            .dependencies
            .iter()
            .filter(|dependency| !allowed.contains(&dependency.as_str()))
        {
            found.push(format!("{name} must not depend on {dependency}: the table of layers does not have that edge"));
        }
        if member.dependencies.contains("ember-testkit") {
            found.push(format!("{name} uses ember-testkit outside of its tests"));
        }
        for (heavy, owner) in BEHIND
            .iter()
            .filter(|(heavy, owner)| member.external.contains(*heavy) && name != owner)
        {
            found.push(format!(
                "{name} names {heavy}, which belongs behind {owner}"
            ));
        }
    }
    for (name, _) in LAYERS
        .iter()
        .filter(|(name, _)| !members.contains_key(*name))
    {
        found.push(format!(
            "the table of layers has {name}, the workspace does not"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::PathBuf;

    use super::{LAYERS, Member, violations};

    fn clean() -> BTreeMap<String, Member> {
        let member = || Member {
            dir: PathBuf::new(),
            dependencies: BTreeSet::new(),
            external: BTreeSet::new(),
        };
        LAYERS
            .iter()
            .map(|(name, _)| ((*name).to_owned(), member()))
            .collect()
    }

    #[test]
    fn a_forbidden_edge_is_found() {
        let mut members = clean();
        assert_eq!(violations(&members), Vec::<String>::new());
        members
            .get_mut("ember-core")
            .unwrap()
            .dependencies
            .insert("ember-micro".to_owned());
        assert!(violations(&members)[0].contains("ember-core must not depend on ember-micro"));
    }

    #[test]
    fn a_heavy_crate_outside_its_owner_is_found() {
        let mut members = clean();
        members
            .get_mut("xtask")
            .unwrap()
            .external
            .insert("burn".to_owned());
        assert!(violations(&members)[0].contains("belongs behind ember-train"));
    }

    #[test]
    fn the_table_has_no_cycle() {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        while done.len() < LAYERS.len() {
            let ready: Vec<_> = LAYERS
                .iter()
                .filter(|(name, allowed)| {
                    !done.contains(name) && allowed.iter().all(|one| done.contains(one))
                })
                .map(|(name, _)| *name)
                .collect();
            assert!(
                !ready.is_empty(),
                "a cycle among {:?}",
                LAYERS
                    .iter()
                    .filter(|(n, _)| !done.contains(n))
                    .collect::<Vec<_>>()
            );
            done.extend(ready);
        }
    }
}
