//! What the firmware asks of the code that infers.

use ember_link::{ErrorCode, Failure};

/// A model that is ready to run: an interpreter, or code that was generated from the model.
pub trait Engine {
    /// The bytes of input `index`; `None` from the first index that the model does not have.
    fn input(&mut self, index: usize) -> Option<&mut [u8]>;

    /// The bytes of output `index`; `None` from the first index that the model does not have.
    fn output(&self, index: usize) -> Option<&[u8]>;

    /// Computes the outputs from the inputs, and tells `observer` before and after each operator. The inputs may be
    /// overwritten.
    ///
    /// # Errors
    /// Says which operator failed.
    fn invoke(&mut self, observer: &mut impl Observer) -> Result<(), EngineError>;
}

/// Is told when operators begin and end.
pub trait Observer {
    /// The operator at `index` of the model, with this builtin code, is about to run.
    fn begin(&mut self, index: u32, builtin_code: u32);

    /// It has run.
    fn end(&mut self, index: u32, builtin_code: u32);
}

/// Why an inference failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineError {
    /// The runtime's own code of the error.
    pub code: u32,
    /// The operator that failed.
    pub operator: u32,
}

impl EngineError {
    /// What the host is told.
    #[must_use]
    pub const fn failure(self) -> Failure {
        Failure {
            code: ErrorCode::Invoke,
            details: [self.code, self.operator],
        }
    }
}
