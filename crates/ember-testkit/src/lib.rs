//! Conformance cases for every runtime: suite × runtime.
//!
//! Cases come from two places: the goldens of single operators in `golden/`, made by `tools/op_goldens`, and folders of
//! whole models outside the repository ([`folder`]). Every runtime in [`runtimes::ALL`] runs all of them
//! (`tests/conformance.rs`), says of random valid models what the others say ([`generate`], `tests/random_models.rs`), and
//! survives the damaged files of [`mutation`] and the wrong
//! models of [`alteration`] (`tests/bad_models.rs`).
//!
//! **Invariant:** only tests depend on this crate.

pub mod agreement;
pub mod aligned;
pub mod alteration;
pub mod case;
pub mod expectations;
pub mod folder;
pub mod generate;
pub mod golden;
pub mod mutation;
pub mod random;
pub mod runtime;
pub mod runtimes;
pub mod sample;
pub mod suite;
