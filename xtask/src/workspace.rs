//! Where things are in the checkout, and what its crates depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};

/// The root of the checkout that this binary was built from.
#[must_use]
pub fn root() -> PathBuf {
    // `cargo xtask` sets CARGO_MANIFEST_DIR when it starts us; the compile-time value serves a binary started by hand.
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest_dir
        .parent()
        .map_or(manifest_dir.clone(), Path::to_path_buf)
}

/// `path` relative to the root of the checkout where it lies inside, for messages and manifests.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The bytes of a file.
///
/// # Errors
/// What the file system says, with the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", shown(path)))
}

/// A crate of the workspace as its manifest describes it.
#[derive(Debug)]
pub struct Member {
    /// Folder of the manifest.
    pub dir: PathBuf,
    /// Workspace crates in `[dependencies]`, target tables included.
    pub dependencies: BTreeSet<String>,
    /// Every other crate that it names, in any table.
    pub external: BTreeSet<String>,
}

/// The crates of the workspace by name.
///
/// # Errors
/// A manifest that cannot be read or is not TOML, with its path.
pub fn members() -> Result<BTreeMap<String, Member>> {
    let root = root();
    let mut dirs = vec![root.join("firmware"), root.join("xtask")];
    let crates = root.join("crates");
    for entry in fs::read_dir(&crates).with_context(|| format!("cannot list {}", shown(&crates)))? {
        dirs.push(entry?.path());
    }
    dirs.sort();
    let mut manifests = BTreeMap::new();
    for dir in dirs {
        let path = dir.join("Cargo.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", shown(&path)))?;
        let manifest: toml::Table = text
            .parse()
            .with_context(|| format!("{} is not valid TOML", shown(&path)))?;
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(toml::Value::as_str)
            .ok_or_else(|| anyhow!("{} has no package name", shown(&path)))?
            .to_owned();
        manifests.insert(name, (dir, manifest));
    }
    let names: BTreeSet<String> = manifests.keys().cloned().collect();
    Ok(manifests
        .into_iter()
        .map(|(name, (dir, manifest))| (name, member(dir, &manifest, &names)))
        .collect())
}

fn member(dir: PathBuf, manifest: &toml::Table, names: &BTreeSet<String>) -> Member {
    let mut dependencies = named(manifest, "dependencies");
    dependencies.extend(named(manifest, "build-dependencies"));
    for table in manifest
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(toml::Table::values)
    {
        dependencies.extend(
            table
                .as_table()
                .map(|table| named(table, "dependencies"))
                .unwrap_or_default(),
        );
    }
    let dev = named(manifest, "dev-dependencies");
    let external = dependencies
        .union(&dev)
        .filter(|name| !names.contains(*name))
        .cloned()
        .collect();
    dependencies.retain(|name| names.contains(name));
    Member {
        dir,
        dependencies,
        external,
    }
}

fn named(table: &toml::Table, key: &str) -> BTreeSet<String> {
    table
        .get(key)
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

/// SHA-256 over the sources of `name` and of every workspace crate that it depends on: what a stage's result depends on
/// besides its data. Tests and benches do not count.
///
/// # Errors
/// An unknown crate, or a file that cannot be read.
pub fn sources_fingerprint(name: &str) -> Result<String> {
    let members = members()?;
    let mut closure = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        let member = members
            .get(&next)
            .ok_or_else(|| anyhow!("the workspace has no crate {next}"))?;
        if closure.insert(next) {
            open.extend(member.dependencies.iter().cloned());
        }
    }
    let mut hasher = Sha256::new();
    for member in closure.iter().filter_map(|name| members.get(name)) {
        for file in source_files(&member.dir)? {
            hasher.update(shown(&file).as_bytes());
            hasher.update(read(&file)?);
        }
    }
    Ok(crate::hash::hex(&hasher.finalize()))
}

fn source_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files_under(&dir.join("src"), &|_| true)?;
    files.extend(
        ["Cargo.toml", "build.rs"]
            .map(|name| dir.join(name))
            .into_iter()
            .filter(|path| path.is_file()),
    );
    files.sort();
    Ok(files)
}

/// Every file below `dir` for which `keep` holds, sorted; folders named `target` are not entered.
///
/// # Errors
/// A folder that cannot be listed.
pub fn files_under(dir: &Path, keep: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("cannot list {}", shown(&dir)))? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    open.push(path);
                }
            } else if keep(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The executable file of a program of this workspace, which cargo builds with optimization.
///
/// # Errors
/// As [`target_dir`].
pub fn program(name: &str) -> Result<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(target_dir()?.join("release").join(file))
}

/// Where cargo puts what it builds: two folders above this very program, wherever the user's settings put that.
///
/// # Errors
/// A program that cannot find itself.
pub fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the path of this program")?;
    let dir = program
        .parent()
        .and_then(Path::parent)
        .ok_or_else(|| anyhow!("{} is in no target folder", program.display()))?;
    Ok(dir.to_path_buf())
}
