//! The registrations that Ember has, one by one and as lists.
//!
//! A program links the kernels of the list that it names and no others. A list of one's own is a `static` slice:
//!
//! ```
//! use ember_micro::{Registration, registry};
//!
//! static REGISTRY: &[Registration] = &[
//!     registry::CONV_2D_INT8,
//!     registry::MAX_POOL_2D_INT8,
//!     registry::FULLY_CONNECTED_INT8,
//!     registry::RESHAPE,
//!     registry::SOFTMAX_INT8,
//! ];
//! # assert_eq!(REGISTRY.len(), 5);
//! ```

use crate::kernel::Registration;
use crate::ops::{
    add, average_pool_2d, conv_2d, depthwise_conv_2d, dequantize, fully_connected, max_pool_2d,
    pack, quantize, relu, reshape, shape, softmax, stored, strided_slice,
};

macro_rules! registrations {
    ($($(#[$doc:meta])* $list:ident: { $($name:ident = $kernel:ty;)* })*) => {
        $($(
            #[doc = concat!("The kernel [`", stringify!($kernel), "`](crate::ops::", stringify!($kernel), ").")]
            pub const $name: Registration = Registration::of::<$kernel>();
        )*)*

        $($(#[$doc])* const $list: &[Registration] = &[$($name,)*];)*

        /// Every registration with its name in this module, for whoever generates a list of them.
        #[cfg(feature = "alloc")]
        pub static NAMED: &[(&str, Registration)] = &[$($((stringify!($name), $name),)*)*];
    };
}

registrations! {
    /// Kernels on int8 activations with weights that are stored in fewer bits; they stand before those for plain weights.
    STORED: {
        DECODE = stored::Decoded;
        CONV_2D_INT4 = conv_2d::Int4;
        CONV_2D_INT2 = conv_2d::Int2;
        CONV_2D_LUT = conv_2d::Lut;
        CONV_2D_PRUNED = conv_2d::Pruned;
        CONV_2D_PRUNED_LUT = conv_2d::PrunedLut;
        DEPTHWISE_CONV_2D_INT4 = depthwise_conv_2d::Int4;
        DEPTHWISE_CONV_2D_INT2 = depthwise_conv_2d::Int2;
        DEPTHWISE_CONV_2D_LUT = depthwise_conv_2d::Lut;
        DEPTHWISE_CONV_2D_PRUNED = depthwise_conv_2d::Pruned;
        DEPTHWISE_CONV_2D_PRUNED_LUT = depthwise_conv_2d::PrunedLut;
        FULLY_CONNECTED_INT4 = fully_connected::Int4;
        FULLY_CONNECTED_INT2 = fully_connected::Int2;
        FULLY_CONNECTED_LUT = fully_connected::Lut;
        FULLY_CONNECTED_PRUNED = fully_connected::Pruned;
        FULLY_CONNECTED_PRUNED_LUT = fully_connected::PrunedLut;
    }
    /// Kernels that move elements of any type.
    MOVES: {
        RESHAPE = reshape::Any;
        SHAPE = shape::Any;
        STRIDED_SLICE = strided_slice::Any;
        PACK = pack::Any;
    }
    /// Kernels on int8 activations.
    ON_INT8: {
        CONV_2D_INT8 = conv_2d::Int8;
        DEPTHWISE_CONV_2D_INT8 = depthwise_conv_2d::Int8;
        FULLY_CONNECTED_INT8 = fully_connected::Int8;
        MAX_POOL_2D_INT8 = max_pool_2d::Int8;
        AVERAGE_POOL_2D_INT8 = average_pool_2d::Int8;
        ADD_INT8 = add::Int8;
        SOFTMAX_INT8 = softmax::Int8;
        RELU_INT8 = relu::Int8;
        RELU6_INT8 = relu::Relu6Int8;
        QUANTIZE_INT8 = quantize::Int8;
    }
    /// Kernels on int16 activations.
    ON_INT16: {
        CONV_2D_INT16 = conv_2d::Int16;
        DEPTHWISE_CONV_2D_INT16 = depthwise_conv_2d::Int16;
        FULLY_CONNECTED_INT16 = fully_connected::Int16;
        MAX_POOL_2D_INT16 = max_pool_2d::Int16;
        AVERAGE_POOL_2D_INT16 = average_pool_2d::Int16;
        ADD_INT16 = add::Int16;
        SOFTMAX_INT16 = softmax::Int16;
        RELU_INT16 = relu::Int16;
        RELU6_INT16 = relu::Relu6Int16;
        QUANTIZE_INT16 = quantize::Int16;
    }
    /// Kernels on float32 activations.
    ON_FLOAT32: {
        CONV_2D_FLOAT32 = conv_2d::Float32;
        DEPTHWISE_CONV_2D_FLOAT32 = depthwise_conv_2d::Float32;
        FULLY_CONNECTED_FLOAT32 = fully_connected::Float32;
        MAX_POOL_2D_FLOAT32 = max_pool_2d::Float32;
        AVERAGE_POOL_2D_FLOAT32 = average_pool_2d::Float32;
        ADD_FLOAT32 = add::Float32;
        SOFTMAX_FLOAT32 = softmax::Float32;
        RELU_FLOAT32 = relu::Float32;
        RELU6_FLOAT32 = relu::Relu6Float32;
    }
    /// Kernels on float32 activations with int8 weights.
    DYNAMIC: {
        CONV_2D_DYNAMIC = conv_2d::Dynamic;
        DEPTHWISE_CONV_2D_DYNAMIC = depthwise_conv_2d::Dynamic;
        FULLY_CONNECTED_DYNAMIC = fully_connected::Dynamic;
    }
    /// Kernels from one type to another.
    BETWEEN: {
        QUANTIZE_FLOAT32 = quantize::Float32;
        QUANTIZE_FLOAT32_TO_INT16 = quantize::Float32ToInt16;
        QUANTIZE_INT8_TO_INT16 = quantize::Int8ToInt16;
        QUANTIZE_INT16_TO_INT8 = quantize::Int16ToInt8;
        DEQUANTIZE_INT8 = dequantize::Int8;
        DEQUANTIZE_INT16 = dequantize::Int16;
        DEQUANTIZE_FLOAT16 = dequantize::Float16;
    }
}

const fn joined<const N: usize>(lists: &[&[Registration]]) -> [Registration; N] {
    let mut all = [RESHAPE; N];
    let (mut at, mut list) = (0, 0);
    while list < lists.len() {
        let mut row = 0;
        while row < lists[list].len() {
            all[at] = lists[list][row];
            at += 1;
            row += 1;
        }
        list += 1;
    }
    assert!(at == N);
    all
}

/// What a fully quantized int8 model needs.
pub static INT8: &[Registration] = &joined::<{ ON_INT8.len() + MOVES.len() }>(&[ON_INT8, MOVES]);

/// What a model of 16-bit activations and 8-bit weights needs.
pub static INT16: &[Registration] = &joined::<{ ON_INT16.len() + MOVES.len() }>(&[ON_INT16, MOVES]);

/// What a float32 model needs.
pub static FLOAT32: &[Registration] =
    &joined::<{ ON_FLOAT32.len() + MOVES.len() }>(&[ON_FLOAT32, MOVES]);

/// Everything.
pub static ALL: &[Registration] = &joined::<
    {
        ON_INT8.len()
            + ON_INT16.len()
            + ON_FLOAT32.len()
            + DYNAMIC.len()
            + MOVES.len()
            + BETWEEN.len()
            + STORED.len()
    },
>(&[
    STORED, ON_INT8, ON_INT16, ON_FLOAT32, DYNAMIC, MOVES, BETWEEN,
]);

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn no_two_registrations_are_for_the_same() {
        for (index, one) in ALL.iter().enumerate() {
            for other in &ALL[index + 1..] {
                assert!(
                    one.code != other.code
                        || (one.dtype.is_some() && one.dtype != other.dtype)
                        || (one.other.is_some() && one.other != other.other)
                        || one.suits.is_some(),
                    "{one:?} and {other:?}"
                );
            }
        }
    }
}
