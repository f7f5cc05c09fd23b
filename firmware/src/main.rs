//! The firmware: receives images, infers, reports.

fn main() {}
