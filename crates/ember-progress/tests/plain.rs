//! What a console writes where stderr is not a terminal, to the byte.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ember_progress::{Console, Mode, Unit};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn console(quiet: bool, color: bool) -> (Console, Sink, Sink) {
    let (progress, results) = (Sink::default(), Sink::default());
    let mode = Mode {
        quiet,
        interactive: false,
        color,
    };
    let console = Console::with(mode, Box::new(progress.clone()), Box::new(results.clone()));
    (console, progress, results)
}

fn write_everything(console: &Console) {
    console.step("Training", "seed-cnn on MNIST");
    console.line("Epoch 1/5");
    console.warn("few images");
    console.notice("synthetic digits, not MNIST");
    console.error("no such model");
    console.result("accuracy 97.9 %");
}

#[test]
fn lines_are_plain_text() {
    let (console, progress, results) = console(false, false);
    write_everything(&console);
    assert_eq!(
        progress.text(),
        "    Training seed-cnn on MNIST\n\
         Epoch 1/5\n\
         warning: few images\n\
         +-----------------------------+\n\
         | synthetic digits, not MNIST |\n\
         +-----------------------------+\n\
         error: no such model\n"
    );
    assert_eq!(results.text(), "accuracy 97.9 %\n");
}

#[test]
fn quiet_keeps_errors_results_and_notices() {
    let (console, progress, results) = console(true, false);
    let bar = console.bar("Evaluating", 10, Unit::Images);
    bar.set(10);
    bar.finish();
    write_everything(&console);
    assert_eq!(
        progress.text(),
        "+-----------------------------+\n\
         | synthetic digits, not MNIST |\n\
         +-----------------------------+\n\
         error: no such model\n"
    );
    assert_eq!(results.text(), "accuracy 97.9 %\n");
}

#[test]
fn colour_is_written_only_where_it_is_on() {
    let (plain, text, _) = console(false, false);
    write_everything(&plain);
    assert!(!text.text().contains('\x1b'));
    let (colored, text, _) = console(false, true);
    write_everything(&colored);
    assert!(
        text.text()
            .contains("    \x1b[32m\x1b[1mTraining\x1b[0m seed-cnn")
    );
}

#[test]
fn a_bar_leaves_one_line() {
    let (console, progress, _) = console(false, false);
    let bar = console.bar("Evaluating", 10_000, Unit::Images);
    for _ in 0..100 {
        bar.inc(100);
    }
    bar.message("accuracy 97.9 %");
    bar.finish();
    bar.finish();
    drop(bar);
    let text = progress.text();
    let finished: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("images in"))
        .collect();
    assert_eq!(finished.len(), 1, "{text}");
    assert!(finished[0].starts_with("  Evaluating 10,000 images in "));
    assert!(finished[0].ends_with(" s, accuracy 97.9 %"));
}

#[test]
fn a_bar_that_failed_leaves_nothing() {
    let (console, progress, _) = console(false, false);
    let bar = console.bar("Downloading", None, Unit::Bytes);
    bar.set_total(100);
    bar.inc(50);
    drop(bar);
    assert_eq!(progress.text(), "");
}

#[test]
fn a_long_notice_is_wrapped_and_stays_in_its_box() {
    let (console, progress, _) = console(false, false);
    console.notice(format!(
        "{}\n  EMBER_DATA_DIR=/somewhere",
        "word ".repeat(40)
    ));
    let text = progress.text();
    let widths: Vec<usize> = text.lines().map(str::len).collect();
    assert!(text.lines().count() >= 5);
    assert!(
        widths
            .iter()
            .all(|width| *width == widths[0] && *width <= 80)
    );
    assert!(text.contains("|   EMBER_DATA_DIR=/somewhere"));
}

#[test]
fn a_closed_sink_does_not_stop_the_work() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mode = Mode {
        quiet: false,
        interactive: false,
        color: false,
    };
    let console = Console::with(mode, Box::new(Closed), Box::new(Closed));
    write_everything(&console);
    console.bar("Evaluating", 1, Unit::Images).finish();
}

#[test]
fn threads_share_a_bar() {
    let (console, progress, _) = console(false, false);
    let bar = console.bar("Evaluating", 4000, Unit::Images);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| bar.inc(1)));
        }
    });
    bar.finish();
    assert!(
        progress
            .text()
            .ends_with("Evaluating 4,000 images in 0.0 s\n")
    );
}
