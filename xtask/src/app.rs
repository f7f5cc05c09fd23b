//! What every command has at hand: the console, and whether the user pressed ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Result;
use ember_progress::Console;

use crate::manifest::{Inputs, RunDir};
use crate::toolchain::Interrupted;

/// The command's surroundings.
#[derive(Clone)]
pub struct App {
    /// Where progress and results go.
    pub console: Console,
    /// `--quiet`, to pass on to programs that we start.
    pub quiet: bool,
    cancelled: Arc<AtomicBool>,
    /// Whether ctrl-C need not wait for anything.
    at_once: Arc<AtomicBool>,
}

impl App {
    /// Sets up the console and the handler of ctrl-C.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cancelled);
        let at_once = Arc::new(AtomicBool::new(false));
        let now = Arc::clone(&at_once);
        // Work polls the flag and ends between two steps, with its files whole; a second ctrl-C ends at once.
        let handler = move || {
            if flag.swap(true, Ordering::SeqCst) || now.load(Ordering::SeqCst) {
                std::process::exit(crate::toolchain::INTERRUPTED);
            }
        };
        let console = Console::new(quiet);
        if ctrlc::set_handler(handler).is_err() {
            console.warn("ctrl-C cannot be caught here: it will end the program at once");
        }
        Self {
            console,
            quiet,
            cancelled,
            at_once,
        }
    }

    /// Lets ctrl-C end the program where it is: for commands that leave nothing half done and look at no flag.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::SeqCst);
    }

    /// The flag that ctrl-C sets.
    #[must_use]
    pub fn cancelled(&self) -> &AtomicBool {
        &self.cancelled
    }

    /// Fails once ctrl-C was pressed.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub fn go_on(&self) -> Result<()> {
        if self.cancelled.load(Ordering::SeqCst) {
            Err(Interrupted.into())
        } else {
            Ok(())
        }
    }

    /// Runs `work`, which turns `inputs` into the files whose names it returns, unless that was done already.
    ///
    /// # Errors
    /// What `work` or the manifest says.
    pub fn stage(
        &self,
        run: &RunDir,
        stage: &str,
        force: bool,
        inputs: Inputs,
        work: impl FnOnce() -> Result<Vec<String>>,
    ) -> Result<()> {
        self.go_on()?;
        if !force && run.is_fresh(stage, &inputs)? {
            self.console
                .step("Fresh", format!("{stage} ({})", run.name()));
            return Ok(());
        }
        let begun = Instant::now();
        run.begin(stage)?;
        let outputs = work()?;
        run.finish(stage, inputs, &outputs, begun.elapsed().as_secs_f64())
    }
}
