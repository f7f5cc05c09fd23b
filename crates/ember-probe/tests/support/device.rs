//! A firmware on a simulated chip: the conversation of the real one, over RTT rings in the chip's memory, with a model
//! that adds one to every byte.

use super::chip::Program;
use super::memory::Memory;
use ember_firmware::app::{Sizes, serve};
use ember_firmware::clock::Clock;
use ember_firmware::engine::{Engine, EngineError, Observer};
use ember_firmware::transport::TransportError;
use ember_link::{CALIBRATION_INSTRUCTIONS, Done, Hello, Sink, Slots, Source, TimerKind};
use ember_slot::{LayoutRecord, PublicKey, candidates};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// The target that it says it is built for.
pub const TARGET: &str = "thumbv7em-none-eabihf";
/// Bytes of an image, and of an answer.
pub const EACH: usize = 5;
/// Ticks of its clock per second.
pub const TICKS_PER_SECOND: f64 = 64e6;

/// Where its control block is.
pub const CONTROL_BLOCK: u64 = 0x2000_0100;
const UP_RING: u64 = 0x2000_0200;
const UP_BYTES: u32 = 64;
const DOWN_RING: u64 = 0x2000_0300;
const DOWN_BYTES: u32 = 32;

/// Looks at the chip before the control block is there.
const START_UP: u32 = 20;

/// Bytes from one side to the other; closed when either is gone.
#[derive(Default)]
struct Pipe {
    state: Mutex<(VecDeque<u8>, bool)>,
    changed: Condvar,
}

impl Pipe {
    fn with<T>(&self, action: impl FnOnce(&mut VecDeque<u8>, &mut bool) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, closed) = &mut *state;
        let result = action(bytes, closed);
        self.changed.notify_all();
        result
    }

    /// Waits until there are bytes, fewer than `room`, and moves them with `action`; false when the other side is gone.
    fn wait(&self, ready: impl Fn(usize) -> bool, action: impl FnOnce(&mut VecDeque<u8>)) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !ready(state.0.len()) {
            if state.1 {
                return false;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        action(&mut state.0);
        true
    }
}

/// The firmware's ends.
struct Wire {
    down: Arc<Pipe>,
    up: Arc<Pipe>,
}

const GONE: TransportError = TransportError(9);

impl Source for Wire {
    type Error = TransportError;
    const LIVE: bool = true;

    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, TransportError> {
        for byte in buffer {
            let there = self.down.wait(
                |count| count > 0,
                |bytes| *byte = bytes.pop_front().unwrap_or_default(),
            );
            if !there {
                return Err(GONE);
            }
        }
        Ok(true)
    }
}

impl Sink for Wire {
    type Error = TransportError;

    fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        for byte in bytes {
            if !self
                .up
                .wait(|count| count < 16, |there| there.push_back(*byte))
            {
                return Err(GONE);
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct PlusOne {
    input: [u8; EACH],
    output: [u8; EACH],
}

impl Engine for PlusOne {
    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        (index == 0).then_some(&mut self.input)
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        (index == 0).then_some(&self.output)
    }

    fn invoke(&mut self, observer: &mut impl Observer) -> Result<(), EngineError> {
        observer.begin(0, 9);
        self.output = self.input.map(|byte| byte.wrapping_add(1));
        observer.end(0, 9);
        Ok(())
    }
}

struct WallClock(Instant);

impl Clock for WallClock {
    fn ticks(&mut self) -> u64 {
        (self.0.elapsed().as_secs_f64() * TICKS_PER_SECOND) as u64
    }
}

/// What runs after reset until the pipes are closed.
fn firmware(mut wire: Wire, slots: Option<Slots>) -> Option<()> {
    let mut clock = WallClock(Instant::now());
    loop {
        if let Some(slots) = slots {
            slots.write(&mut wire).ok()?;
        }
        let hello = Hello {
            model_crc: 1,
            model_bytes: 2,
            arena_bytes: 4,
            arena_used_bytes: 3,
            input_bytes: EACH as u32,
            output_bytes: EACH as u32,
            stack_limit_bytes: 1000,
            timer: TimerKind::Dwt,
            calibration_ticks: u64::from(CALIBRATION_INSTRUCTIONS) * 2,
            prepare_ticks: 77,
            target: TARGET,
        };
        hello.write(&mut wire).ok()?;
        let sizes = Sizes {
            input_bytes: EACH as u32,
            output_bytes: EACH as u32,
        };
        let served = serve(&mut wire, &mut PlusOne::default(), &mut clock, sizes);
        let done = Done {
            inferences: served.ok()?,
            stack_bytes: 321,
        };
        done.write(&mut wire).ok()?;
    }
}

/// The firmware as what a chip runs.
#[derive(Default)]
pub struct Firmware {
    /// Where its model is, if not in itself.
    pub record: Option<LayoutRecord>,
    pipes: Option<(Arc<Pipe>, Arc<Pipe>)>,
    looks: u32,
}

impl Firmware {
    fn stop(&mut self) {
        if let Some((down, up)) = self.pipes.take() {
            down.with(|_, closed| *closed = true);
            up.with(|_, closed| *closed = true);
        }
    }

    fn set_up(&mut self, memory: &mut Memory) {
        memory.write(CONTROL_BLOCK + 16, &1_u32.to_le_bytes());
        memory.write(CONTROL_BLOCK + 20, &1_u32.to_le_bytes());
        let rings = [(UP_RING, UP_BYTES), (DOWN_RING, DOWN_BYTES)];
        for (descriptor, (ring, size)) in (CONTROL_BLOCK + 24..).step_by(24).zip(rings) {
            for (at, word) in [0, ring as u32, size, 0, 0, 0].into_iter().enumerate() {
                memory.set_word(descriptor + at as u64 * 4, word);
            }
        }
        memory.write(CONTROL_BLOCK, b"SEGGER RTT\0\0\0\0\0\0");
        let (down, up) = (Arc::<Pipe>::default(), Arc::<Pipe>::default());
        let wire = Wire {
            down: Arc::clone(&down),
            up: Arc::clone(&up),
        };
        self.pipes = Some((down, up));
        let slots = self.record.and_then(|record| chosen(&record, memory));
        thread::spawn(move || firmware(wire, slots));
    }
}

/// The slot that a firmware with this record runs.
fn chosen(record: &LayoutRecord, memory: &Memory) -> Option<Slots> {
    let contents = record
        .slots
        .map(|slot| memory.bytes(slot.address.into(), slot.length as usize));
    let [first, second] = &contents;
    let key = record.key.map(PublicKey::new);
    let running = candidates([first, second], key.as_ref()).next()?;
    Some(Slots {
        running: running.index as u32,
        sequence: running.slot.header.sequence,
        model_version: running.slot.header.model_version,
        refusals: [0, 0],
    })
}

impl Drop for Firmware {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Program for Firmware {
    fn start(&mut self, _: &mut Memory) {
        self.stop();
        self.looks = 0;
    }

    fn step(&mut self, memory: &mut Memory) {
        self.looks += 1;
        if self.looks == START_UP {
            self.set_up(memory);
        }
        let Some((down, up)) = &self.pipes else {
            return;
        };
        let mut ring = Ring::new(memory, CONTROL_BLOCK + 24);
        up.with(|bytes, _| {
            while !ring.is_full()
                && let Some(byte) = bytes.pop_front()
            {
                ring.push(byte);
            }
        });
        let mut ring = Ring::new(memory, CONTROL_BLOCK + 48);
        down.with(|bytes, _| {
            while let Some(byte) = ring.pop() {
                bytes.push_back(byte);
            }
        });
    }
}

/// One ring, by its descriptor.
struct Ring<'m> {
    memory: &'m mut Memory,
    descriptor: u64,
}

impl<'m> Ring<'m> {
    fn new(memory: &'m mut Memory, descriptor: u64) -> Self {
        Self { memory, descriptor }
    }

    fn field(&self, number: u64) -> u32 {
        self.memory.word(self.descriptor + number * 4)
    }

    fn set(&mut self, number: u64, value: u32) {
        self.memory.set_word(self.descriptor + number * 4, value);
    }

    fn is_full(&self) -> bool {
        (self.field(3) + 1) % self.field(2) == self.field(4)
    }

    fn push(&mut self, byte: u8) {
        let (at, size) = (self.field(3), self.field(2));
        self.memory
            .write(u64::from(self.field(1)) + u64::from(at), &[byte]);
        self.set(3, (at + 1) % size);
    }

    fn pop(&mut self) -> Option<u8> {
        let (written, at, size) = (self.field(3), self.field(4), self.field(2));
        if written == at {
            return None;
        }
        let byte = self
            .memory
            .bytes(u64::from(self.field(1)) + u64::from(at), 1)[0];
        self.set(4, (at + 1) % size);
        Some(byte)
    }
}
