//! What the image is built for, as `build.rs` was told: sizes, kernels, slots.

#![allow(
    dead_code,
    reason = "generated; not every constant is used by every firmware"
)]

include!(concat!(env!("OUT_DIR"), "/target.rs"));
