//! The program: an image comes, the model infers, a result goes; again until the host has no more.

use crate::chip::Chip;
use crate::clock::Clock;
use crate::engine::{Engine, Observer};
use crate::transport::{Transport, TransportError};
use ember_link::{
    Done, ErrorCode, Failure, Hello, Inference, OpProfile, ReceiveError, Received, Receiver, Sink,
    Slots, Time,
};

/// Serves one host after the other: after a goodbye comes the next hello, after a bad frame the reason and the next hello.
/// Returns only when the carrier fails, with what it says; RTT never does.
pub fn serve_hosts(
    transport: &mut impl Transport,
    engine: &mut impl Engine,
    chip: &mut impl Chip,
    slots: Option<&Slots>,
    hello: &Hello<'_>,
) -> TransportError {
    loop {
        let served = slots
            .map_or(Ok(()), |slots| slots.write(transport))
            .map_err(|error| transport_failure(error, 0))
            .and_then(|()| converse(transport, engine, chip, hello));
        let told = match served {
            Ok(()) => continue,
            Err(Failure {
                code: ErrorCode::Transport,
                details: [code, _],
            }) => Err(TransportError(code)),
            Err(failure) => failure.write(transport),
        };
        if let Err(error) = told {
            return error;
        }
    }
}

/// Says hello, answers the host until it says that there are no more images, and says what it took.
///
/// # Errors
/// What to tell the host.
pub fn converse(
    transport: &mut impl Transport,
    engine: &mut impl Engine,
    chip: &mut impl Chip,
    hello: &Hello<'_>,
) -> Result<(), Failure> {
    let lost = |error| transport_failure(error, 0);
    hello.write(transport).map_err(lost)?;
    let sizes = Sizes {
        input_bytes: hello.input_bytes,
        output_bytes: hello.output_bytes,
    };
    let inferences = serve(transport, engine, chip, sizes)?;

    let stack_bytes = chip.stack_used_bytes();
    if stack_bytes >= chip.stack_limit_bytes() {
        return Err(Failure {
            code: ErrorCode::StackExhausted,
            details: [stack_bytes, 0],
        });
    }
    Done {
        inferences,
        stack_bytes,
    }
    .write(transport)
    .map_err(lost)
}

/// Bytes of a model's inputs and outputs, each all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of all inputs.
    pub input_bytes: u32,
    /// Bytes of all outputs.
    pub output_bytes: u32,
}

impl Sizes {
    /// Those of the model of this engine.
    #[must_use]
    pub fn of(engine: &mut impl Engine) -> Self {
        let mut sizes = Self {
            input_bytes: 0,
            output_bytes: 0,
        };
        let mut index = 0;
        while let Some(input) = engine.input(index) {
            sizes.input_bytes += input.len() as u32;
            index += 1;
        }
        index = 0;
        while let Some(output) = engine.output(index) {
            sizes.output_bytes += output.len() as u32;
            index += 1;
        }
        sizes
    }
}

/// Answers the host's frames until it says that there are no more, and returns the number of inferences.
///
/// # Errors
/// What to tell the host before giving up.
pub fn serve(
    transport: &mut impl Transport,
    engine: &mut impl Engine,
    clock: &mut impl Clock,
    sizes: Sizes,
) -> Result<u32, Failure> {
    let mut receiver = Receiver::new();
    let mut inferences = 0;
    loop {
        let request = receive(&mut receiver, transport, engine, sizes.input_bytes)
            .map_err(|error| error.failure(inferences))?;
        let request = match request {
            Request::Image(request) => request,
            Request::Clock => {
                let time = Time {
                    ticks: clock.ticks(),
                };
                time.write(transport)
                    .map_err(|error| transport_failure(error, inferences))?;
                continue;
            }
            Request::End => return Ok(inferences),
        };
        let start = clock.ticks();
        let mut profiler = Profiler {
            transport,
            clock,
            active: request.profiled,
            start: 0,
            sum: 0,
            sent: Ok(()),
        };
        engine
            .invoke(&mut profiler)
            .map_err(|error| error.failure())?;
        let Profiler { sum, sent, .. } = profiler;
        let ticks = if request.profiled {
            sum
        } else {
            clock.ticks() - start
        };
        inferences += 1;
        sent.and_then(|()| answer(transport, engine, request.index, ticks, sizes.output_bytes))
            .map_err(|error| transport_failure(error, inferences))?;
    }
}

/// What the host wants.
enum Request {
    Image(Image),
    Clock,
    End,
}

/// An image that lies in the model's inputs.
struct Image {
    index: u32,
    profiled: bool,
}

/// Why no image came.
enum RequestError {
    Receive(ReceiveError<TransportError>),
    Length { found: u32, expected: u32 },
}

impl From<ReceiveError<TransportError>> for RequestError {
    fn from(error: ReceiveError<TransportError>) -> Self {
        Self::Receive(error)
    }
}

impl RequestError {
    /// What to tell the host, after so many inferences.
    fn failure(self, inferences: u32) -> Failure {
        match self {
            Self::Receive(ReceiveError::Source(error)) => transport_failure(error, inferences),
            Self::Receive(ReceiveError::Link(error)) => Failure {
                code: ErrorCode::Frame,
                details: [error.code(), inferences],
            },
            Self::Length { found, expected } => Failure {
                code: ErrorCode::ImageLength,
                details: [found, expected],
            },
        }
    }
}

/// Waits for the next request, and puts an image into the model's inputs.
fn receive(
    receiver: &mut Receiver,
    transport: &mut impl Transport,
    engine: &mut impl Engine,
    expected: u32,
) -> Result<Request, RequestError> {
    let (index, profiled, found) = match receiver.next(transport)? {
        Received::End => return Ok(Request::End),
        Received::Clock => return Ok(Request::Clock),
        Received::Image {
            index,
            profiled,
            input_bytes,
        } => (index, profiled, input_bytes),
    };
    if found != expected {
        return Err(RequestError::Length { found, expected });
    }
    let mut input = 0;
    while let Some(bytes) = engine.input(input) {
        receiver.read_input(transport, bytes)?;
        input += 1;
    }
    receiver.finish(transport)?;
    Ok(Request::Image(Image { index, profiled }))
}

/// Sends the model's outputs.
fn answer(
    transport: &mut impl Transport,
    engine: &impl Engine,
    index: u32,
    ticks: u64,
    output_bytes: u32,
) -> Result<(), TransportError> {
    let mut frame = Inference::begin(transport, index, ticks, output_bytes)?;
    let mut output = 0;
    while let Some(bytes) = engine.output(output) {
        frame.write(bytes)?;
        output += 1;
    }
    frame.end()
}

/// Sends the ticks of each operator as it ends: nothing needs to be kept, and sending is not in what is timed.
struct Profiler<'a, T, C> {
    transport: &'a mut T,
    clock: &'a mut C,
    /// Otherwise it does nothing, in a few instructions per operator.
    active: bool,
    start: u64,
    sum: u64,
    sent: Result<(), TransportError>,
}

impl<T: Sink<Error = TransportError>, C: Clock> Observer for Profiler<'_, T, C> {
    fn begin(&mut self, _index: u32, _builtin_code: u32) {
        if self.active {
            self.start = self.clock.ticks();
        }
    }

    fn end(&mut self, index: u32, builtin_code: u32) {
        if !self.active {
            return;
        }
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

/// What to tell the host when the carrier failed.
#[must_use]
pub const fn transport_failure(error: TransportError, inferences: u32) -> Failure {
    Failure {
        code: ErrorCode::Transport,
        details: [error.0, inferences],
    }
}
