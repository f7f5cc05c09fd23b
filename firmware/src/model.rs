//! The model that the image is built around, as `ember-codegen` wrote it: `MODEL`, `ARENA_BYTES` and the operators it needs, or
//! `Model`, which is code.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated; not every constant is used by every firmware"
)]

include!(concat!(env!("OUT_DIR"), "/model_data.rs"));
