//! The host's side is played by what waits: no byte is lost, doubled or swapped, however little room there is.

use super::{ControlBlock, ID, Ring};
use ember_link::{Sink, Source};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::vec;
use std::vec::Vec;

/// A host that moves at most `step` bytes in each direction when it has its turn, as a debugger with its short transfers.
struct Host<'a> {
    up: Ring<'a>,
    down: Ring<'a>,
    step: usize,
    to_send: VecDeque<u8>,
    received: Vec<u8>,
    turns: usize,
}

impl<'a> Host<'a> {
    fn new<const UP: usize, const DOWN: usize>(
        block: &'a ControlBlock<UP, DOWN>,
        step: usize,
        to_send: &[u8],
    ) -> Self {
        Self {
            up: Ring {
                channel: &block.head.up,
                bytes: &block.up,
            },
            down: Ring {
                channel: &block.head.down,
                bytes: &block.down,
            },
            step,
            to_send: to_send.iter().copied().collect(),
            received: Vec::new(),
            turns: 0,
        }
    }

    fn turn(&mut self) {
        self.turns += 1;
        for _ in 0..self.step {
            let read = self.up.channel.read.load(Ordering::Acquire);
            if read != self.up.channel.write.load(Ordering::Acquire) {
                let byte = self.up.bytes[read as usize].load(Ordering::Relaxed);
                self.received.push(byte);
                let next = self.up.next(read);
                self.up.channel.read.store(next, Ordering::Release);
            }
            let write = self.down.channel.write.load(Ordering::Acquire);
            let next = self.down.next(write);
            if next != self.down.channel.read.load(Ordering::Acquire)
                && let Some(byte) = self.to_send.pop_front()
            {
                self.down.bytes[write as usize].store(byte, Ordering::Relaxed);
                self.down.channel.write.store(next, Ordering::Release);
            }
        }
    }
}

/// Echoes `bytes` through a device that reads and writes pieces of `piece` bytes.
fn echo<const UP: usize, const DOWN: usize>(bytes: &[u8], piece: usize, step: usize) -> Vec<u8> {
    let block = ControlBlock::<UP, DOWN>::new();
    let host = RefCell::new(Host::new(&block, step, bytes));
    let mut device = block.open(|| host.borrow_mut().turn());
    for piece in bytes.chunks(piece) {
        let mut buffer = vec![0; piece.len()];
        assert_eq!(device.read(&mut buffer), Ok(true));
        device.write(&buffer).unwrap();
    }
    for _ in 0..UP {
        host.borrow_mut().turn();
    }
    host.into_inner().received
}

proptest! {
    #[test]
    fn every_byte_arrives_once_and_in_order(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        piece in 1usize..50,
        step in 1usize..20,
    ) {
        prop_assert_eq!(&echo::<2, 2>(&bytes, piece, step), &bytes);
        prop_assert_eq!(&echo::<16, 128>(&bytes, piece, step), &bytes);
        prop_assert_eq!(&echo::<128, 16>(&bytes, piece, step), &bytes);
        prop_assert_eq!(&echo::<61, 53>(&bytes, piece, step), &bytes);
    }

    #[test]
    fn offsets_that_a_host_gets_wrong_end_in_no_panic(offset: u32, bytes: [u8; 20]) {
        let block = ControlBlock::<8, 8>::new();
        let host = RefCell::new(Host::new(&block, 1, &[]));
        let mut device = block.open(|| {
            // A host that comes to its senses.
            let host = host.borrow();
            host.up.channel.read.store(host.up.channel.write.load(Ordering::Relaxed), Ordering::Relaxed);
            host.down.channel.write.store(3, Ordering::Relaxed);
            host.down.channel.read.store(0, Ordering::Relaxed);
        });
        block.head.up.read.store(offset, Ordering::Relaxed);
        block.head.up.write.store(offset, Ordering::Relaxed);
        block.head.down.write.store(offset, Ordering::Relaxed);
        device.write(&bytes).unwrap();
        let mut buffer = bytes;
        device.read(&mut buffer).unwrap();
    }
}

#[test]
fn what_fits_waits_for_nobody() {
    let block = ControlBlock::<16, 16>::new();
    let mut device = block.open(|| panic!("it waited"));
    device.write(&[1; 9]).unwrap();
    device.write(&[2; 6]).unwrap();
    let mut host = Host::new(&block, 100, &[]);
    host.turn();
    assert_eq!(host.received, [[1; 9].as_slice(), &[2; 6]].concat());
}

#[test]
fn what_does_not_fit_is_seen_by_the_host_before_it_is_all_written() {
    let block = ControlBlock::<16, 16>::new();
    let host = RefCell::new(Host::new(&block, 4, &[]));
    let mut device = block.open(|| host.borrow_mut().turn());
    device.write(&[7; 40]).unwrap();
    let host = host.into_inner();
    assert!(host.turns >= 6, "{} turns", host.turns);
    assert!(host.received.len() >= 25);
}

#[test]
fn a_host_finds_the_block_as_the_description_says() {
    let block = ControlBlock::<32, 64>::new();
    let words = |block: &ControlBlock<32, 64>| {
        block
            .head
            .id
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed))
    };
    assert_eq!(words(&block), [0; 4], "before it is opened it is none");
    // What an earlier run may have left.
    block.head.up.write.store(5, Ordering::Relaxed);
    block.head.down.read.store(9, Ordering::Relaxed);
    let _ = block.open(|| ());
    assert_eq!(words(&block), ID);
    let id: Vec<u8> = ID.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(id, b"SEGGER RTT\0\0\0\0\0\0");
    for (channel, buffer) in [
        (&block.head.up, &block.up[..]),
        (&block.head.down, &block.down),
    ] {
        assert_eq!(
            channel.buffer.load(Ordering::Relaxed),
            buffer.as_ptr() as usize
        );
        assert_eq!(channel.size.load(Ordering::Relaxed), buffer.len());
        assert_ne!(channel.name.load(Ordering::Relaxed), 0);
        for offset in [&channel.write, &channel.read] {
            assert_eq!(offset.load(Ordering::Relaxed), 0);
        }
    }
    assert_eq!(
        block
            .head
            .counts
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed)),
        [1, 1]
    );
}
