//! The program: an image comes, the model infers, a result goes; again until the host has no more.

use crate::clock::Clock;
use crate::engine::{Engine, Observer};
use crate::transport::{Transport, TransportError};
use ember_link::{
    ErrorCode, Failure, Inference, OpProfile, ReceiveError, Received, Receiver, Sink,
};

/// Answers the host's frames until it says that there are no more, and returns the number of inferences.
///
/// # Errors
/// What to tell the host before giving up.
pub fn serve(
    transport: &mut impl Transport,
    engine: &mut impl Engine,
    clock: &mut impl Clock,
) -> Result<u32, Failure> {
    let mut receiver = Receiver::new();
    let mut inferences = 0;
    loop {
        let received = receiver
            .next(transport)
            .map_err(|error| receive_failure(error, inferences))?;
        let (index, profiled) = match received {
            Received::End => return Ok(inferences),
            Received::Image {
                index,
                profiled,
                input_bytes,
            } => {
                if input_bytes as usize != engine.input_bytes() {
                    return Err(Failure {
                        code: ErrorCode::ImageLength,
                        details: [input_bytes, engine.input_bytes() as u32],
                    });
                }
                (index, profiled)
            }
        };
        let mut input = 0;
        while let Some(bytes) = engine.input(input) {
            receiver
                .read_input(transport, bytes)
                .map_err(|error| receive_failure(error, inferences))?;
            input += 1;
        }
        receiver
            .finish(transport)
            .map_err(|error| receive_failure(error, inferences))?;

        let ticks = if profiled {
            infer_profiled(transport, engine, clock)
        } else {
            let start = clock.ticks();
            engine
                .invoke()
                .map(|()| clock.ticks() - start)
                .map_err(|error| error.failure())
        }?;
        inferences += 1;

        let engine = &*engine;
        let outputs = (0..).map_while(|output| engine.output(output));
        Inference::write_outputs(transport, index, ticks, outputs)
            .map_err(|error| transport_failure(error, inferences))?;
    }
}

/// Runs one inference, sends what each operator cost, and returns the sum.
fn infer_profiled(
    transport: &mut impl Transport,
    engine: &mut impl Engine,
    clock: &mut impl Clock,
) -> Result<u64, Failure> {
    let mut profiler = Profiler {
        transport,
        clock,
        start: 0,
        sum: 0,
        sent: Ok(()),
    };
    engine
        .invoke_observed(&mut profiler)
        .map_err(|error| error.failure())?;
    match profiler.sent {
        Ok(()) => Ok(profiler.sum),
        Err(error) => Err(transport_failure(error, 0)),
    }
}

/// Sends the ticks of each operator as it ends: nothing needs to be kept, and sending is not in what is timed.
struct Profiler<'a, T, C> {
    transport: &'a mut T,
    clock: &'a mut C,
    start: u64,
    sum: u64,
    sent: Result<(), TransportError>,
}

impl<T: Sink<Error = TransportError>, C: Clock> Observer for Profiler<'_, T, C> {
    fn begin(&mut self, _index: u32, _builtin_code: u32) {
        self.start = self.clock.ticks();
    }

    fn end(&mut self, index: u32, builtin_code: u32) {
        let ticks = self.clock.ticks() - self.start;
        self.sum += ticks;
        let profile = OpProfile {
            index,
            builtin_code,
            ticks,
        };
        if self.sent.is_ok() {
            self.sent = profile.write(self.transport);
        }
    }
}

/// What to tell the host when a frame did not arrive.
fn receive_failure(error: ReceiveError<TransportError>, inferences: u32) -> Failure {
    match error {
        ReceiveError::Source(error) => transport_failure(error, inferences),
        ReceiveError::Link(error) => Failure {
            code: ErrorCode::Frame,
            details: [error.code(), inferences],
        },
    }
}

/// What to tell the host when the carrier failed.
#[must_use]
pub const fn transport_failure(error: TransportError, inferences: u32) -> Failure {
    Failure {
        code: ErrorCode::Transport,
        details: [error.0, inferences],
    }
}
