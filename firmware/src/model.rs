//! The model that the image is built around: `MODEL`, `ARENA_BYTES` and the operators it needs, as `ember-codegen` wrote them.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated; not every constant is used by every firmware"
)]

include!(concat!(env!("OUT_DIR"), "/model_data.rs"));
