//! Looks at a model file with the tools of `ember-lite`.
//!
//! ```text
//! cargo run -p ember-lite --example model -- inspect MODEL.tflite
//! cargo run -p ember-lite --example model -- plan MODEL.tflite
//! cargo run -p ember-lite --example model -- plan-svg MODEL.tflite > plan.svg
//! cargo run -p ember-lite --example model -- dot MODEL.tflite | dot -Tsvg > model.svg
//! cargo run -p ember-lite --example model -- strip MODEL.tflite STRIPPED.tflite
//! cargo run -p ember-lite --example model -- diff A.tflite B.tflite INPUT.f32
//! cargo run -p ember-lite --example model -- run MODEL.tflite INPUT OUTPUT
//! ```

use std::{env, error::Error, fs, path::Path};

use ember_lite::{ArenaPlan, Inspection, Kept, MappedModel, Pixels, diff, dot, run_files, strip};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let open = |path: &str| MappedModel::open(Path::new(path));
    match arguments[..] {
        ["inspect", model] => print!("{}", Inspection::of(&open(model)?)?),
        ["plan", model] => print!("{}", ArenaPlan::of(&open(model)?)?.to_text(64)),
        ["plan-svg", model] => print!("{}", ArenaPlan::of(&open(model)?)?.to_svg()),
        ["dot", model] => print!("{}", dot(&open(model)?)?),
        ["strip", model, stripped] => fs::write(stripped, strip(&open(model)?, Kept::default())?)?,
        ["diff", a, b, input] => {
            // Little-endian float32 numbers, which each model quantizes as it says.
            let bytes = fs::read(input)?;
            let words = bytes.as_chunks().0.iter();
            let numbers: Vec<f32> = words.map(|word| f32::from_le_bytes(*word)).collect();
            print!("{}", diff(&open(a)?, &open(b)?, &numbers)?);
        }
        ["run", model, input, output] => {
            run_files(
                &open(model)?,
                &[input.into()],
                &[output.into()],
                Pixels::default(),
            )?;
        }
        _ => return Err("see the top of examples/model.rs for what it takes".into()),
    }
    Ok(())
}
