//! Progress bars, plain lines and notices on the terminal.
