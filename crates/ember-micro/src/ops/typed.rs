//! The types of elements in the file, by the types that kernels compute with.

use ember_core::Dtype;
use ember_core::view::Plain;
use ember_kernels::{Bool, Int64};

/// An element of a tensor.
pub trait Typed: Plain {
    /// Its type in the file.
    const DTYPE: Dtype;
}

macro_rules! typed {
    ($($type:ty: $dtype:ident;)*) => {
        $(impl Typed for $type {
            const DTYPE: Dtype = Dtype::$dtype;
        })*
    };
}

typed! {
    i8: Int8;
    i16: Int16;
    i32: Int32;
    f32: Float32;
    Int64: Int64;
    Bool: Bool;
    u8: Uint8;
    u32: Uint32;
}
