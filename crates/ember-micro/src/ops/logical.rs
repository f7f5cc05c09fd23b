//! LOGICAL_AND and LOGICAL_OR: `micro/kernels/logical.cc`.

use ember_core::BuiltinOp;
use ember_kernels::{Bool, logical};

use super::binary::{BinaryKernel, Operation};
use crate::error::Refused;
use crate::prepare::Prepare;

macro_rules! operations {
    ($($(#[$doc:meta])* $operation:ident, $kernel:ident = $op:ident;)*) => {
        $(
            $(#[$doc])*
            pub struct $operation;

            $(#[$doc])*
            pub type $kernel = BinaryKernel<$operation>;

            impl Operation for $operation {
                const OP: BuiltinOp = BuiltinOp::$op;
                type Input1 = Bool;
                type Input2 = Bool;
                type Output = Bool;
                type Prepared = ();
                type Function<'q> = logical::$kernel;

                fn prepare(_cx: &Prepare<'_>) -> Result<(), Refused> {
                    Ok(())
                }

                fn function(_prepared: &()) -> logical::$kernel {
                    logical::$kernel
                }
            }
        )*
    };
}

operations! {
    /// LOGICAL_AND.
    LogicalAnd, And = LogicalAnd;
    /// LOGICAL_OR.
    LogicalOr, Or = LogicalOr;
}
