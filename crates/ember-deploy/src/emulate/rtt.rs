//! The host's end of RTT over memory that it can look at: two rings of bytes behind a control block.
//!
//! The layout is that of SEGGER's Real Time Transfer ("J-Link / J-Trace User Guide", UM08001, chapter RTT); the firmware has
//! one channel in each direction.

use crate::error::DeployError;

/// What the control block begins with once the firmware has filled it in.
const ID: [u8; 16] = *b"SEGGER RTT\0\0\0\0\0\0";

/// Bytes of the control block: ID, two counts, and six words for each channel.
const BLOCK_BYTES: usize = 16 + 2 * 4 + 2 * CHANNEL_BYTES as usize;
const UP: u32 = 24;
const DOWN: u32 = UP + CHANNEL_BYTES;
const CHANNEL_BYTES: u32 = 24;

/// Offsets in a channel.
const BUFFER: u32 = 4;
const SIZE: u32 = 8;
const WRITE: u32 = 12;
const READ: u32 = 16;

/// The memory of a stopped machine.
pub(super) trait Memory {
    /// Fills `into` with what is at `address`.
    fn read(&mut self, address: u32, into: &mut [u8]) -> Result<(), DeployError>;

    /// Puts `bytes` at `address`.
    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), DeployError>;
}

/// What is known of the rings.
pub(super) struct Rtt {
    /// Where the control block is.
    address: u32,
    rings: Option<Rings>,
}

#[derive(Clone, Copy)]
struct Rings {
    up: Ring,
    down: Ring,
    /// The offsets of ours that the firmware was told.
    told: (u32, u32),
}

#[derive(Clone, Copy)]
struct Ring {
    buffer: u32,
    size: u32,
    write: u32,
    read: u32,
}

impl Rtt {
    /// A control block that the firmware has perhaps not filled in yet.
    pub(super) const fn new(address: u32) -> Self {
        Self {
            address,
            rings: None,
        }
    }

    /// Looks how far the firmware is in both rings; how far the host is stays as it is.
    pub(super) fn refresh(&mut self, memory: &mut impl Memory) -> Result<(), DeployError> {
        let mut block = [0; BLOCK_BYTES];
        memory.read(self.address, &mut block)?;
        if block.first_chunk() != Some(&ID) {
            return match self.rings {
                None => Ok(()),
                Some(_) => Err(self.broken("it was there and is gone")),
            };
        }
        let up = self.ring(&block, UP)?;
        let down = self.ring(&block, DOWN)?;
        self.rings = Some(match self.rings {
            None => Rings {
                up,
                down,
                told: (up.read, down.write),
            },
            Some(known) if known.told != (up.read, down.write) => {
                return Err(self.broken("somebody else moved the host's offsets"));
            }
            Some(known) => Rings {
                up: Ring {
                    read: known.up.read,
                    ..up
                },
                down: Ring {
                    write: known.down.write,
                    ..down
                },
                told: known.told,
            },
        });
        Ok(())
    }

    /// Takes what has come up, as much as fits into `into`.
    pub(super) fn receive(
        &mut self,
        memory: &mut impl Memory,
        into: &mut [u8],
    ) -> Result<usize, DeployError> {
        let Some(Rings { up, .. }) = &mut self.rings else {
            return Ok(0);
        };
        let mut received = 0;
        while up.read != up.write && received < into.len() {
            let end = if up.read < up.write {
                up.write
            } else {
                up.size
            };
            let free = into.get_mut(received..).unwrap_or_default();
            let count = free.len().min((end - up.read) as usize);
            memory.read(up.buffer + up.read, &mut free[..count])?;
            received += count;
            up.advance_read(count as u32);
        }
        Ok(received)
    }

    /// Puts as many of `bytes` into the ring to the firmware as there is room for.
    pub(super) fn send(
        &mut self,
        memory: &mut impl Memory,
        bytes: &[u8],
    ) -> Result<usize, DeployError> {
        let Some(Rings { down, .. }) = &mut self.rings else {
            return Ok(0);
        };
        let mut sent = 0;
        while sent < bytes.len() {
            // One byte stays free: a full ring would look like an empty one.
            let end = match down.read {
                0 => down.size - 1,
                read if read > down.write => read - 1,
                _ => down.size,
            };
            let rest = &bytes[sent..];
            let count = rest.len().min(end.saturating_sub(down.write) as usize);
            if count == 0 {
                break;
            }
            memory.write(down.buffer + down.write, &rest[..count])?;
            sent += count;
            down.write = (down.write + count as u32) % down.size;
        }
        Ok(sent)
    }

    /// Tells the firmware how far the host is.
    pub(super) fn publish(&mut self, memory: &mut impl Memory) -> Result<(), DeployError> {
        let address = self.address;
        let Some(Rings { up, down, told }) = &mut self.rings else {
            return Ok(());
        };
        if told.0 != up.read {
            memory.write(address + UP + READ, &up.read.to_le_bytes())?;
            told.0 = up.read;
        }
        if told.1 != down.write {
            memory.write(address + DOWN + WRITE, &down.write.to_le_bytes())?;
            told.1 = down.write;
        }
        Ok(())
    }

    fn ring(&self, block: &[u8; BLOCK_BYTES], channel: u32) -> Result<Ring, DeployError> {
        let word = |offset: u32| {
            let start = (channel + offset) as usize;
            let bytes = block.get(start..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        let ring = Ring {
            buffer: word(BUFFER),
            size: word(SIZE),
            write: word(WRITE),
            read: word(READ),
        };
        let fits = ring.buffer.checked_add(ring.size).is_some();
        if fits && ring.size > 1 && ring.write < ring.size && ring.read < ring.size {
            Ok(ring)
        } else {
            Err(self.broken("a channel in it has impossible offsets"))
        }
    }

    fn broken(&self, problem: &'static str) -> DeployError {
        DeployError::Rtt {
            address: self.address,
            problem,
        }
    }
}

impl Ring {
    const fn advance_read(&mut self, count: u32) {
        self.read = (self.read + count) % self.size;
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, DOWN, ID, Memory, READ, Rtt, UP, WRITE};
    use crate::error::DeployError;

    const BASE: u32 = 0x2000_0000;
    const SIZE: u32 = 7;

    /// RAM with the control block at its start and both buffers behind it.
    struct Ram(Vec<u8>);

    impl Memory for Ram {
        fn read(&mut self, address: u32, into: &mut [u8]) -> Result<(), DeployError> {
            let start = (address - BASE) as usize;
            into.copy_from_slice(&self.0[start..start + into.len()]);
            Ok(())
        }

        fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), DeployError> {
            let start = (address - BASE) as usize;
            self.0[start..start + bytes.len()].copy_from_slice(bytes);
            Ok(())
        }
    }

    impl Ram {
        fn new() -> Self {
            let mut ram = Self(vec![0; BLOCK_BYTES + 2 * SIZE as usize]);
            ram.0[..16].copy_from_slice(&ID);
            for (channel, place) in [(UP, 0), (DOWN, SIZE)] {
                ram.set(channel + super::BUFFER, BASE + BLOCK_BYTES as u32 + place);
                ram.set(channel + super::SIZE, SIZE);
            }
            ram
        }

        fn set(&mut self, offset: u32, word: u32) {
            self.write(BASE + offset, &word.to_le_bytes()).unwrap();
        }

        fn get(&mut self, offset: u32) -> u32 {
            let mut bytes = [0; 4];
            self.read(BASE + offset, &mut bytes).unwrap();
            u32::from_le_bytes(bytes)
        }

        /// What the firmware does to say something.
        fn say(&mut self, bytes: &[u8]) -> usize {
            for (count, byte) in bytes.iter().enumerate() {
                let write = self.get(UP + WRITE);
                let next = (write + 1) % SIZE;
                if next == self.get(UP + READ) {
                    return count;
                }
                self.0[BLOCK_BYTES + write as usize] = *byte;
                self.set(UP + WRITE, next);
            }
            bytes.len()
        }

        /// What the firmware does to listen.
        fn listen(&mut self) -> Option<u8> {
            let read = self.get(DOWN + READ);
            if read == self.get(DOWN + WRITE) {
                return None;
            }
            self.set(DOWN + READ, (read + 1) % SIZE);
            Some(self.0[BLOCK_BYTES + (SIZE + read) as usize])
        }
    }

    #[test]
    fn bytes_pass_in_both_directions_in_pieces_of_any_size() {
        for piece in 1..10 {
            let mut ram = Ram::new();
            let mut rtt = Rtt::new(BASE);
            let stream: Vec<u8> = (0..100).collect();
            let (mut said, mut heard) = (0, Vec::new());
            let (mut sent, mut listened) = (0, Vec::new());
            for _ in 0..200 {
                said += ram.say(&stream[said..]);
                listened.extend(std::iter::from_fn(|| ram.listen()).take(piece));
                rtt.refresh(&mut ram).unwrap();
                let mut into = vec![0; piece];
                let count = rtt.receive(&mut ram, &mut into).unwrap();
                heard.extend_from_slice(&into[..count]);
                let end = stream.len().min(sent + piece);
                sent += rtt.send(&mut ram, &stream[sent..end]).unwrap();
                // The firmware hears of it only now.
                rtt.publish(&mut ram).unwrap();
            }
            assert_eq!(heard, stream, "{piece}");
            assert_eq!(listened, stream, "{piece}");
        }
    }

    #[test]
    fn nothing_is_there_before_the_firmware_has_made_it() {
        let mut ram = Ram::new();
        ram.0[0] = 0;
        let mut rtt = Rtt::new(BASE);
        rtt.refresh(&mut ram).unwrap();
        assert_eq!(rtt.receive(&mut ram, &mut [0; 4]).unwrap(), 0);
        assert_eq!(rtt.send(&mut ram, &[1]).unwrap(), 0);
        rtt.publish(&mut ram).unwrap();
        ram.0[0] = ID[0];
        rtt.refresh(&mut ram).unwrap();
        assert_eq!(rtt.send(&mut ram, &[1; 9]).unwrap(), 6);
    }

    #[test]
    fn a_damaged_block_is_told() {
        for (offset, word, words) in [
            (UP + super::SIZE, 0, "impossible offsets"),
            (UP + WRITE, SIZE, "impossible offsets"),
            (DOWN + READ, u32::MAX, "impossible offsets"),
            (DOWN + super::BUFFER, u32::MAX, "impossible offsets"),
            (UP + READ, 3, "somebody else"),
            (0, 0, "is gone"),
        ] {
            let mut ram = Ram::new();
            let mut rtt = Rtt::new(BASE);
            rtt.refresh(&mut ram).unwrap();
            ram.set(offset, word);
            let error = rtt.refresh(&mut ram).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
