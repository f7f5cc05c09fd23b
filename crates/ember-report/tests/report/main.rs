//! The report from outside: its files, its text, its page and its tables in a terminal.

mod comparison;
mod files;
mod golden;
mod page;
mod quantization;
mod sample;
mod terminal;
