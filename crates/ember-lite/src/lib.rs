//! The host runtime: mapped files, threads, evaluation.
