//! The engines that interpret the model's file: one that prepares it first, and one for a model that was prepared before.

use crate::engine::{Engine, EngineError, Observer};
use ember_link::{ErrorCode, Failure};
use ember_micro::{
    Interpreter, InvokeError, InvokeFault, Linked, LinkedInterpreter, Model, OpCode, PrepareError,
    Profiler, Registration,
};

/// The code of custom operators in the schema.
const CUSTOM: u32 = 32;

/// The number of the error that says how much arena is missing.
pub(crate) const ARENA_TOO_SMALL: u32 = 2;

/// A model's file, ready to run.
pub struct Interpreted<'a, 'm>(Interpreter<'a, 'm>);

impl<'a, 'm> Interpreted<'a, 'm> {
    /// Reads and prepares a model. `arena` begins at a multiple of 16.
    ///
    /// # Errors
    /// What to tell the host.
    pub fn new(
        model: &'m [u8],
        registry: &'static [Registration],
        arena: &'a mut [u8],
    ) -> Result<Self, Failure> {
        let model = Model::parse(model).map_err(|_| Failure {
            code: ErrorCode::Model,
            details: [0, 0],
        })?;
        Interpreter::new(&model, registry, arena)
            .map(Self)
            .map_err(|error| prepare_failure(&error))
    }

    /// Bytes of the arena that the model takes.
    #[must_use]
    pub const fn arena_bytes_used(&self) -> usize {
        self.0.arena_bytes_used()
    }
}

impl Engine for Interpreted<'_, '_> {
    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        self.0.input(index)
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        self.0.output(index)
    }

    fn invoke(&mut self, observer: &mut impl Observer) -> Result<(), EngineError> {
        self.0
            .invoke_profiled(&mut Observed(observer))
            .map_err(engine_error)
    }
}

/// A model that is part of the image, as it was prepared when that was built.
pub struct Prelinked<'a>(LinkedInterpreter<'a>);

impl<'a> Prelinked<'a> {
    /// Gives the model its arena, which begins at a multiple of 16.
    ///
    /// # Errors
    /// What to tell the host.
    pub fn new(linked: &'a Linked<'a>, arena: &'a mut [u8]) -> Result<Self, Failure> {
        LinkedInterpreter::new(linked, arena)
            .map(Self)
            .map_err(|error| prepare_failure(&error))
    }

    /// Bytes of the arena that the model takes.
    #[must_use]
    pub const fn arena_bytes_used(&self) -> usize {
        self.0.arena_bytes_used()
    }
}

impl Engine for Prelinked<'_> {
    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        self.0.input(index)
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        self.0.output(index)
    }

    fn invoke(&mut self, observer: &mut impl Observer) -> Result<(), EngineError> {
        self.0
            .invoke_profiled(&mut Observed(observer))
            .map_err(engine_error)
    }
}

const fn engine_error(error: InvokeError) -> EngineError {
    EngineError {
        code: invoke_number(error.fault),
        operator: error.index,
    }
}

/// An observer as the interpreter wants it.
struct Observed<'o, O>(&'o mut O);

impl<O: Observer> Profiler for Observed<'_, O> {
    fn begin(&mut self, index: u32, code: OpCode<'static>) {
        self.0.begin(index, builtin_code(code));
    }

    fn end(&mut self, index: u32, code: OpCode<'static>) {
        self.0.end(index, builtin_code(code));
    }
}

const fn builtin_code(code: OpCode<'_>) -> u32 {
    match code {
        OpCode::Builtin(op) => op.code() as u32,
        OpCode::Custom(_) => CUSTOM,
    }
}

/// The numbers by which `ember-deploy` knows the errors.
fn prepare_failure(error: &PrepareError) -> Failure {
    let details = match *error {
        PrepareError::ArenaAlignment { remainder } => [1, remainder],
        PrepareError::ArenaTooSmall { needed, .. } => [ARENA_TOO_SMALL, needed],
        PrepareError::TooLarge => [3, 0],
        PrepareError::MissingRegistration { index, .. } => [4, index],
        PrepareError::Operator { index, .. } => [5, index],
        PrepareError::Unwritten { index, .. } => [6, index],
        PrepareError::Rewritten { index, .. } => [7, index],
        PrepareError::PlanOffset { tensor, .. } | PrepareError::PlanOverlap { tensor, .. } => {
            [8, tensor]
        }
        _ => [0, 0],
    };
    Failure {
        code: ErrorCode::Prepare,
        details,
    }
}

const fn invoke_number(fault: InvokeFault) -> u32 {
    match fault {
        InvokeFault::Kernel(_) => 1,
        InvokeFault::Operand(_) => 2,
        InvokeFault::Prepared => 3,
        InvokeFault::Custom(_) => 4,
        InvokeFault::Endless(_) => 5,
    }
}
