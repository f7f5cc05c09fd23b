//! A look at each operator as it runs.

use ember_tflite::OpCode;

/// Is told when an operator begins and ends, so that it can read a clock or count.
///
/// The interpreter is generic over it: a profiler that does nothing costs nothing.
pub trait Profiler {
    /// The operator with this number in the order of execution begins.
    fn begin(&mut self, index: u32, code: OpCode<'static>);

    /// It has ended.
    fn end(&mut self, index: u32, code: OpCode<'static>);
}

/// Does nothing.
impl Profiler for () {
    #[inline(always)]
    fn begin(&mut self, _index: u32, _code: OpCode<'static>) {}

    #[inline(always)]
    fn end(&mut self, _index: u32, _code: OpCode<'static>) {}
}
