//! Shows everything that a console can write: `cargo run -p ember-progress --example demo`, with `2>&1 | cat` for
//! plain lines, with `-- --quiet` for the quiet mode.

use std::time::Duration;

use ember_progress::{Console, Unit};

fn main() {
    let console = Console::new(std::env::args().any(|argument| argument == "--quiet"));
    console.notice("MNIST cannot be had, so these are synthetic digits.");
    console.step("Training", "seed-cnn on synthetic digits");
    let bar = console.bar("Epoch 1/1", 1875, Unit::Steps);
    for step in 1..=1875_u32 {
        bar.message(format!("loss {:.3}", 3.0 / f64::from(step + 1)));
        bar.inc(1);
        if step == 1000 {
            console.warn("a line in between");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    bar.finish();
    let download = console.bar("Downloading", None, Unit::Bytes);
    for _ in 0..100 {
        download.inc(16_384);
        std::thread::sleep(Duration::from_millis(10));
    }
    download.finish();
    console.result("accuracy 97.9 %");
    console.error("nothing: this is how an error looks");
}
