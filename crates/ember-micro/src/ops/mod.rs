//! The operators: per file the preparation of one, and the way from its tensors to its kernels.

pub mod add;
pub mod average_pool_2d;
pub mod conv_2d;
pub mod depthwise_conv_2d;
pub mod dequantize;
pub mod fully_connected;
pub mod hybrid;
pub mod linear;
pub mod max_pool_2d;
pub mod pack;
pub mod pool_2d;
pub mod quantize;
pub mod relu;
pub mod reshape;
pub mod shape;
pub mod softmax;
pub mod stored;
pub mod strided_slice;
