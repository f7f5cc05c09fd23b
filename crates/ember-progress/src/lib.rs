//! Progress bars, plain lines and notices on the terminal.
//!
//! One [`Console`] serves a whole program. On a terminal it draws bars; where stderr is a file, a pipe or a dumb
//! terminal it writes plain lines, few enough for a log. `--quiet` leaves only errors, results and notices.
//!
//! **Invariants:** progress goes to stderr and only [`Console::result`] to stdout, so that a program's output can be
//! piped; no escape sequence is written where colour is off; a stream that cannot be written to is no reason to stop.

mod bar;
mod console;
mod mode;
mod pace;

pub use bar::{Bar, Unit};
pub use console::Console;
pub use mode::Mode;
