//! The report from outside: its files, its text, its page and its tables in a terminal.

mod files;
mod golden;
mod page;
mod sample;
mod terminal;
