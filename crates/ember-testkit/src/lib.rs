//! Conformance cases for every runtime.
