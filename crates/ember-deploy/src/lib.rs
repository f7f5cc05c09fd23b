//! Emulators and firmware images.
