//! Writes random models, inputs for them and what Ember makes of these, as folders of cases: `tools/op_goldens/differential.py`
//! runs them in other engines.
//!
//! `cargo run -p ember-testkit --example random_models FOLDER FROM..TO [OPERATORS]` writes the models of these seeds,
//! with at most so many operators, 8 where the number is left out.

use std::error::Error;
use std::fs;
use std::path::Path;

use ember_testkit::aligned::AlignedBytes;
use ember_testkit::case::Tensors;
use ember_testkit::generate::{self, Families};
use ember_testkit::runtimes;
use ember_tflite::TensorId;
use ember_tflite::write::{ModelSpec, write};
use serde_json::{Value, json};

/// Runs of each model.
const RUNS: u64 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "give a folder and seeds: FOLDER FROM..TO [OPERATORS]";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, seeds, operators) = match arguments.as_slice() {
        [folder, seeds] => (folder, seeds, 8),
        [folder, seeds, operators] => (folder, seeds, operators.parse()?),
        _ => return Err(usage.into()),
    };
    let (from, to) = seeds.split_once("..").ok_or(usage)?;
    for seed in from.parse()?..to.parse()? {
        let spec = generate::model(seed, operators, Families::All);
        let inputs: Vec<Tensors> = (seed..seed + RUNS)
            .map(|seed| generate::inputs(&spec, seed))
            .collect();
        let file = write(&spec)?;
        let folder = Path::new(folder).join(format!("{seed}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("model.tflite"), &file)?;
        fs::write(folder.join("model.txt"), generate::text(&spec))?;
        fs::write(folder.join("inputs.bin"), inputs.concat().concat())?;
        // None where the operators are not defined for these numbers: a division by zero.
        let outputs = outputs(&file, &inputs);
        let description = json!({
            "count": RUNS,
            "inputs": ports(&spec, &spec.inputs),
            "outputs": ports(&spec, &spec.outputs),
            "refusal": outputs.as_ref().err(),
        });
        fs::write(folder.join("case.json"), description.to_string())?;
        let outputs = outputs.unwrap_or_default();
        fs::write(folder.join("outputs.bin"), outputs.concat().concat())?;
    }
    Ok(())
}

/// What the first runtime gives for runs one after the other, or why it gives nothing.
fn outputs(file: &[u8], inputs: &[Tensors]) -> Result<Vec<Tensors>, String> {
    let [runtime, ..] = runtimes::ALL else {
        return Err("there is no runtime".to_owned());
    };
    let mut outputs = Vec::new();
    let opened = runtime.open(&AlignedBytes::copy_of(file), &mut |session| {
        for inputs in inputs {
            outputs.push(session.invoke(inputs)?);
        }
        Ok(())
    });
    opened.map_err(|refusal| refusal.to_string())?;
    Ok(outputs)
}

fn ports(spec: &ModelSpec, ids: &[TensorId]) -> Value {
    let tensors = ids.iter().map(|id| &spec.tensors[id.0 as usize]);
    let ports = tensors.map(
        |tensor| json!({ "dtype": tensor.dtype.name().to_lowercase(), "shape": tensor.shape }),
    );
    Value::Array(ports.collect())
}
