//! `cargo xtask tidy`: what the compiler does not check and a reader relies on.

mod layers;
mod sources;

use anyhow::{Result, bail};

/// Checks the tree.
///
/// # Errors
/// Every violation, one per line.
pub fn check() -> Result<Vec<String>> {
    let mut violations = layers::check()?;
    violations.extend(sources::check()?);
    Ok(violations)
}

/// Checks the tree for the command line.
///
/// # Errors
/// Every violation, one per line.
pub fn run() -> Result<()> {
    let violations = check()?;
    if !violations.is_empty() {
        bail!("the tree is not tidy:\n  {}", violations.join("\n  "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        assert_eq!(super::check().unwrap(), Vec::<String>::new());
    }
}
