//! Frames through two ring buffers in RAM, which a debugger reads and writes while the processor runs.
//!
//! The layout is that of SEGGER's Real Time Transfer ("J-Link / J-Trace User Guide", UM08001, chapter RTT), with one
//! channel in each direction, so that every program that speaks RTT can attach:
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `SEGGER RTT`, filled up with zeros: a host takes the block for one when it reads this |
//! | 4, 4 | number of channels to the host and from it: 1 and 1 |
//! | 24 | channel to the host: addresses of its name and of its buffer, bytes of the buffer, write offset, read offset, mode |
//! | 24 | channel from the host: the same |
//!
//! Whoever writes into a buffer moves the write offset, after the bytes; whoever reads moves the read offset. Equal offsets
//! are an empty buffer, so one byte of it is always free. Every access is an atomic load or store, which every core has;
//! nothing here needs an atomic exchange. Data caches, where a core has one, are off after reset and stay off.

use crate::transport::TransportError;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering, fence};
use ember_link::{Sink, Source};

/// The name of both channels, as a host lists them.
const NAME: &core::ffi::CStr = c"Ember";

/// Mode: the firmware waits where a buffer is full. A host may change the field; nothing here reads it.
const BLOCK_IF_FULL: u32 = 2;

/// The first 16 bytes, as words.
const ID: [u32; 4] = {
    let id = *b"SEGGER RTT\0\0\0\0\0\0";
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = id;
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
        u32::from_le_bytes([i, j, k, l]),
        u32::from_le_bytes([m, n, o, p]),
    ]
};

/// One channel, as the host finds it. Addresses and `size` have the width of the processor's addresses.
#[derive(Debug)]
#[repr(C)]
struct Channel {
    name: AtomicUsize,
    buffer: AtomicUsize,
    size: AtomicUsize,
    write: AtomicU32,
    read: AtomicU32,
    mode: AtomicU32,
}

impl Channel {
    const fn new() -> Self {
        Self {
            name: AtomicUsize::new(0),
            buffer: AtomicUsize::new(0),
            size: AtomicUsize::new(0),
            write: AtomicU32::new(0),
            read: AtomicU32::new(0),
            mode: AtomicU32::new(0),
        }
    }

    fn init(&self, buffer: &[AtomicU8]) {
        self.name.store(NAME.as_ptr() as usize, Ordering::Relaxed);
        self.buffer
            .store(buffer.as_ptr() as usize, Ordering::Relaxed);
        self.size.store(buffer.len(), Ordering::Relaxed);
        self.write.store(0, Ordering::Relaxed);
        self.read.store(0, Ordering::Relaxed);
        self.mode.store(BLOCK_IF_FULL, Ordering::Relaxed);
    }
}

/// What the host finds in RAM, and behind it a buffer of `UP` bytes to the host and one of `DOWN` bytes from it.
#[derive(Debug)]
#[repr(C)]
pub struct ControlBlock<const UP: usize, const DOWN: usize> {
    head: Head,
    up: [AtomicU8; UP],
    down: [AtomicU8; DOWN],
}

#[derive(Debug)]
#[repr(C)]
struct Head {
    id: [AtomicU32; 4],
    counts: [AtomicU32; 2],
    up: Channel,
    down: Channel,
}

impl<const UP: usize, const DOWN: usize> Default for ControlBlock<UP, DOWN> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const UP: usize, const DOWN: usize> ControlBlock<UP, DOWN> {
    /// A block that no host takes for one yet: all zeros, so that it costs no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            head: Head {
                id: [const { AtomicU32::new(0) }; 4],
                counts: [const { AtomicU32::new(0) }; 2],
                up: Channel::new(),
                down: Channel::new(),
            },
            up: [const { AtomicU8::new(0) }; UP],
            down: [const { AtomicU8::new(0) }; DOWN],
        }
    }

    /// Fills the block in, and lets hosts find it when all of it is right. `wait` is called over and over while there is
    /// nothing to do but wait for the host.
    pub fn open<W: FnMut()>(&self, wait: W) -> Rtt<'_, W> {
        let Head {
            id,
            counts,
            up,
            down,
        } = &self.head;
        let [first, rest @ ..] = id;
        // RAM keeps what it had over a reset: what an earlier run left must not be taken for this one's.
        first.store(0, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        up.init(&self.up);
        down.init(&self.down);
        for count in counts {
            count.store(1, Ordering::Relaxed);
        }
        let [magic, others @ ..] = ID;
        for (word, value) in rest.iter().zip(others) {
            word.store(value, Ordering::Relaxed);
        }
        fence(Ordering::SeqCst);
        first.store(magic, Ordering::Relaxed);
        self.attach(wait)
    }

    /// The carrier over a block that is already open: for a fault handler, which cannot get at what was interrupted.
    pub fn attach<W: FnMut()>(&self, wait: W) -> Rtt<'_, W> {
        Rtt {
            up: Ring {
                channel: &self.head.up,
                bytes: &self.up,
            },
            down: Ring {
                channel: &self.head.down,
                bytes: &self.down,
            },
            wait,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Ring<'a> {
    channel: &'a Channel,
    bytes: &'a [AtomicU8],
}

impl Ring<'_> {
    /// The offset after `offset`.
    fn next(&self, offset: u32) -> u32 {
        let next = offset.wrapping_add(1);
        if (next as usize) < self.bytes.len() {
            next
        } else {
            0
        }
    }
}

/// The carrier. It never fails and never ends; a host that is not there is waited for, but only when there is something to
/// read, or when what is to be said does not fit into the buffer.
#[derive(Debug)]
pub struct Rtt<'a, W> {
    up: Ring<'a>,
    down: Ring<'a>,
    wait: W,
}

impl<W: FnMut()> Source for Rtt<'_, W> {
    type Error = TransportError;
    const LIVE: bool = true;

    // Out of line, as a copy for each field of a frame would take flash and save nothing against a debugger's speed.
    #[inline(never)]
    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, TransportError> {
        let Ring { channel, bytes } = self.down;
        let mut offset = channel.read.load(Ordering::Relaxed);
        for byte in buffer {
            while channel.write.load(Ordering::Acquire) == offset {
                // The host has room again only once it sees what was read.
                channel.read.store(offset, Ordering::Release);
                (self.wait)();
            }
            *byte = bytes
                .get(offset as usize)
                .map_or(0, |byte| byte.load(Ordering::Relaxed));
            offset = self.down.next(offset);
        }
        channel.read.store(offset, Ordering::Release);
        Ok(true)
    }
}

impl<W: FnMut()> Sink for Rtt<'_, W> {
    type Error = TransportError;

    #[inline(never)]
    fn write(&mut self, from: &[u8]) -> Result<(), TransportError> {
        let Ring { channel, bytes } = self.up;
        let mut offset = channel.write.load(Ordering::Relaxed);
        for byte in from {
            let next = self.up.next(offset);
            while channel.read.load(Ordering::Acquire) == next {
                channel.write.store(offset, Ordering::Release);
                (self.wait)();
            }
            if let Some(place) = bytes.get(offset as usize) {
                place.store(*byte, Ordering::Relaxed);
            }
            offset = next;
        }
        channel.write.store(offset, Ordering::Release);
        Ok(())
    }
}

/// The description's offsets, on a processor with its 32-bit addresses.
const _: () = assert!(size_of::<usize>() != 4 || size_of::<Head>() == 72);

#[cfg(test)]
mod tests;
