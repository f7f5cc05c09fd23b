//! A model in its own region of flash: what is written in front of it, and how a firmware decides which of two to run.

#![no_std]
#![forbid(unsafe_code)]
