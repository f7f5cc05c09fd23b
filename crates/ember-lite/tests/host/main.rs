//! The host runtime from outside, on small models whose outputs are known, and on the shared cases where they are there.

mod custom;
mod delegates;
mod evaluation;
mod files;
mod flow;
mod mnist;
mod models;
mod runs;
mod shared_cases;
mod tools;
