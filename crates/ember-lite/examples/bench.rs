//! Times models on one thread, operator by operator, and prints a line of JSON for each.
//!
//! ```text
//! cargo run --release -p ember-lite --example bench -- MODEL.tflite...
//! ```

use std::{env, error::Error, num::NonZeroUsize, path::Path};

use ember_lite::{MappedModel, profile};

const RUNS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

fn main() -> Result<(), Box<dyn Error>> {
    for path in env::args().skip(1) {
        let model = MappedModel::open(Path::new(&path))?;
        println!("{}", serde_json::to_string(&profile(&model, RUNS)?)?);
    }
    Ok(())
}
