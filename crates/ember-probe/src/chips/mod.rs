//! The chips of probe-rs's registry, with what the registry does not know.
