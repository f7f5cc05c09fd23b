//! cargo xtask: the pipeline.

fn main() {}
