//! AVERAGE_POOL_2D: `micro/kernels/pooling_common.cc`.

use ember_core::{BuiltinOp, Clamp};
use ember_kernels::average_pool_2d::{self, Pool2d};
use ember_kernels::{Element, KernelError};

use super::pool_2d::{Operation, Pool};

/// AVERAGE_POOL_2D.
pub struct Op;

impl Operation for Op {
    const OP: BuiltinOp = BuiltinOp::AveragePool2d;

    #[inline(always)]
    fn run<T: Element>(
        shape: &Pool2d,
        range: Clamp<T::Wide>,
        input: &[T],
        output: &mut [T],
    ) -> Result<(), KernelError> {
        average_pool_2d::pool(shape, range, input, output)
    }
}

/// AVERAGE_POOL_2D of int8.
pub type Int8 = Pool<Op, i8>;

/// AVERAGE_POOL_2D of int16.
pub type Int16 = Pool<Op, i16>;

/// AVERAGE_POOL_2D of float32.
pub type Float32 = Pool<Op, f32>;
