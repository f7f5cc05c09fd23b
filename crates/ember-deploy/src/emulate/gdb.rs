//! The debugger's end of GDB's remote protocol, as much of it as an emulated chip needs: memory, the program counter,
//! breakpoints, run and stop. See "GDB Remote Serial Protocol" in the GDB manual.
//!
//! A packet is `$`, the payload, `#` and the sum of the payload's bytes as two hexadecimal digits. Each is answered by a `+`
//! and, when it asks for something, by a packet.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

/// How long an answer may take that needs no instruction to run.
const ANSWER: Duration = Duration::from_secs(10);

/// Bytes of memory in one packet: twice as many digits, and a few bytes more, stay below the 4,096 that QEMU takes.
const BLOCK: usize = 1920;

/// Packets that may wait to be looked at.
const QUEUE: usize = 16;

/// The byte that stops a running target; it is in no packet.
const INTERRUPT: u8 = 0x03;

/// Why the other end cannot be used any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GdbError {
    /// It is gone, or what comes from it makes no sense any more.
    Closed,
    /// It did not answer this in time.
    Silent { request: String },
    /// It answered something else than expected.
    Answer { request: String, answer: String },
}

/// Where the program counter is among the registers that `g` lists, each of four bytes: after R0 to R14, or after x0 to x31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registers {
    Arm,
    Riscv,
}

impl Registers {
    const fn program_counter(self) -> usize {
        match self {
            Self::Arm => 15,
            Self::Riscv => 32,
        }
    }
}

/// A connection to a target that is stopped, or was told to run.
pub(super) struct Gdb<W> {
    to: W,
    packets: Receiver<Vec<u8>>,
    registers: Registers,
}

impl<W: Write> Gdb<W> {
    /// Talks over these two streams.
    pub(super) fn new(to: W, from: impl Read + Send + 'static, registers: Registers) -> Self {
        let (sender, packets) = mpsc::sync_channel(QUEUE);
        // Ends with the stream.
        thread::spawn(move || receive(from, &sender));
        Self {
            to,
            packets,
            registers,
        }
    }

    /// Fills `into` with the memory from `address` on.
    pub(super) fn read(&mut self, address: u32, into: &mut [u8]) -> Result<(), GdbError> {
        let mut address = address;
        for block in into.chunks_mut(BLOCK) {
            let request = format!("m{address:x},{:x}", block.len());
            let answer = self.ask(&request)?;
            if !decode(&answer, block) {
                return Err(unexpected(request, &answer));
            }
            address = address.wrapping_add(block.len() as u32);
        }
        Ok(())
    }

    /// Puts `bytes` into memory from `address` on.
    pub(super) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), GdbError> {
        let mut address = address;
        for block in bytes.chunks(BLOCK) {
            let mut request = format!("M{address:x},{:x}:", block.len());
            for byte in block {
                // Writing to a string cannot fail.
                let _ = write!(request, "{byte:02x}");
            }
            self.command(&request)?;
            address = address.wrapping_add(block.len() as u32);
        }
        Ok(())
    }

    /// The address of the next instruction.
    pub(super) fn program_counter(&mut self) -> Result<u32, GdbError> {
        let answer = self.ask("g")?;
        let start = 8 * self.registers.program_counter();
        let mut bytes = [0; 4];
        match answer.get(start..start + 8) {
            Some(digits) if decode(digits, &mut bytes) => Ok(u32::from_le_bytes(bytes)),
            _ => Err(unexpected("g".to_owned(), &answer)),
        }
    }

    /// Stops the target whenever it is about to execute the instruction at `address`.
    pub(super) fn set_breakpoint(&mut self, address: u32) -> Result<(), GdbError> {
        self.command(&format!("Z1,{address:x},2"))
    }

    /// Executes one instruction, breakpoint or not.
    pub(super) fn step(&mut self) -> Result<(), GdbError> {
        self.send("s")?;
        if self.stopped(ANSWER)? {
            Ok(())
        } else {
            let request = "s".to_owned();
            Err(GdbError::Silent { request })
        }
    }

    /// Lets the target run.
    pub(super) fn resume(&mut self) -> Result<(), GdbError> {
        self.send("c")
    }

    /// Waits for a running target to stop, and says whether it has.
    pub(super) fn stopped(&mut self, patience: Duration) -> Result<bool, GdbError> {
        loop {
            let Some(packet) = self.next(patience)? else {
                return Ok(false);
            };
            match packet.first() {
                Some(b'T' | b'S') => return Ok(true),
                // What the target has to say to whoever is at the debugger.
                Some(b'O') => {}
                Some(b'W' | b'X') => return Err(GdbError::Closed),
                _ => return Err(unexpected("c".to_owned(), &packet)),
            }
        }
    }

    /// Stops a running target.
    pub(super) fn interrupt(&mut self) -> Result<(), GdbError> {
        self.put(&[INTERRUPT])?;
        if self.stopped(ANSWER)? {
            Ok(())
        } else {
            let request = "an interrupt".to_owned();
            Err(GdbError::Silent { request })
        }
    }

    fn command(&mut self, request: &str) -> Result<(), GdbError> {
        match self.ask(request)?.as_slice() {
            b"OK" => Ok(()),
            answer => Err(unexpected(request.to_owned(), answer)),
        }
    }

    fn ask(&mut self, request: &str) -> Result<Vec<u8>, GdbError> {
        self.send(request)?;
        let request = || request.chars().take(40).collect();
        self.next(ANSWER)?
            .ok_or_else(|| GdbError::Silent { request: request() })
    }

    fn send(&mut self, request: &str) -> Result<(), GdbError> {
        // The `+` is for the answer before.
        self.put(format!("+${request}#{:02x}", sum(request.as_bytes())).as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), GdbError> {
        let written = self.to.write_all(bytes).and_then(|()| self.to.flush());
        written.map_err(|_| GdbError::Closed)
    }

    fn next(&self, patience: Duration) -> Result<Option<Vec<u8>>, GdbError> {
        match self.packets.recv_timeout(patience) {
            Ok(packet) => Ok(Some(packet)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(GdbError::Closed),
        }
    }
}

fn unexpected(request: String, answer: &[u8]) -> GdbError {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(40).collect();
    GdbError::Answer {
        request: text(request.as_bytes()),
        answer: text(answer),
    }
}

/// Hands on the payload of each packet, until the stream ends or a packet's sum is wrong.
fn receive(mut from: impl Read, packets: &SyncSender<Vec<u8>>) {
    let mut piece = [0; 4096];
    let mut parser = Parser::Between;
    while let Ok(count @ 1..) = from.read(&mut piece) {
        for &byte in &piece[..count] {
            parser = match parser.next(byte) {
                Step::Go(parser) => parser,
                Step::Damaged => return,
                Step::Packet(packet) => {
                    if packets.send(packet).is_err() {
                        return;
                    }
                    Parser::Between
                }
            };
        }
    }
}

/// Where in a packet the stream is.
enum Parser {
    Between,
    Payload(Vec<u8>),
    FirstDigit(Vec<u8>),
    SecondDigit(Vec<u8>, u8),
}

enum Step {
    Go(Parser),
    Packet(Vec<u8>),
    Damaged,
}

impl Parser {
    fn next(self, byte: u8) -> Step {
        Step::Go(match (self, byte) {
            (Self::Between, b'$') => Self::Payload(Vec::new()),
            (Self::Between, _) => Self::Between,
            (Self::Payload(payload), b'#') => Self::FirstDigit(payload),
            (Self::Payload(mut payload), _) => {
                payload.push(byte);
                Self::Payload(payload)
            }
            (Self::FirstDigit(payload), _) => Self::SecondDigit(payload, byte),
            (Self::SecondDigit(payload, first), second) => {
                let mut stated = [0];
                return if decode(&[first, second], &mut stated) && stated == [sum(&payload)] {
                    Step::Packet(payload)
                } else {
                    Step::Damaged
                };
            }
        })
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

/// Fills `bytes` from exactly as many pairs of hexadecimal digits.
fn decode(digits: &[u8], bytes: &mut [u8]) -> bool {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != bytes.len() {
        return false;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    bytes.iter_mut().zip(pairs).all(|(byte, [high, low])| {
        let (Some(high), Some(low)) = (value(*high), value(*low)) else {
            return false;
        };
        *byte = (high << 4 | low) as u8;
        true
    })
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Gdb, GdbError, Registers, sum};
    use std::io::{PipeReader, PipeWriter, Read, Write};
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    /// The packets that a target sends after each request.
    type Answers = &'static [&'static [&'static str]];

    /// A target that answers each request with the next of `answers`, and gives back what it was asked.
    fn target(answers: Answers) -> (Gdb<PipeWriter>, JoinHandle<Vec<String>>) {
        let (from_host, to_target) = std::io::pipe().expect("a pipe");
        let (from_target, to_host) = std::io::pipe().expect("a pipe");
        let gdb = Gdb::new(to_target, from_target, Registers::Arm);
        (
            gdb,
            thread::spawn(move || serve(from_host, to_host, answers)),
        )
    }

    fn serve(mut from: PipeReader, mut to: PipeWriter, answers: Answers) -> Vec<String> {
        let mut asked = Vec::new();
        for packets in answers {
            let mut request = Vec::new();
            let mut byte = [0];
            while from.read(&mut byte).expect("a byte") == 1 {
                request.push(byte[0]);
                if byte[0] == 3 || request.len() > 2 && request[request.len() - 3] == b'#' {
                    break;
                }
            }
            asked.push(String::from_utf8(request).expect("text"));
            let answer: String = packets.iter().map(|payload| packet(payload)).collect();
            write!(to, "+{answer}").expect("somebody listens");
        }
        asked
    }

    fn packet(payload: &str) -> String {
        format!("${payload}#{:02x}", sum(payload.as_bytes()))
    }

    #[test]
    fn memory_is_read_and_written_in_blocks() {
        let (mut gdb, served) = target(&[&["0102ff"], &["OK"], &["OK"]]);
        let mut bytes = [0; 3];
        gdb.read(0x2000_0010, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 2, 255]);
        gdb.write(0x2000_0000, &[0xAB; BLOCK + 1]).unwrap();
        let asked = served.join().unwrap();
        assert_eq!(asked[0], format!("+{}", packet("m20000010,3")));
        assert_eq!(
            asked[1],
            format!(
                "+{}",
                packet(&format!("M20000000,780:{}", "ab".repeat(BLOCK)))
            )
        );
        assert_eq!(asked[2], format!("+{}", packet("M20000780,1:ab")));
    }

    #[test]
    fn a_target_runs_until_it_stops() {
        let (mut gdb, served) = target(&[
            &["OK"],
            &["T05thread:01;"],
            &[],
            &["O6869", "T02thread:01;"],
        ]);
        gdb.set_breakpoint(0x800_0100).unwrap();
        gdb.step().unwrap();
        gdb.resume().unwrap();
        assert_eq!(gdb.stopped(Duration::from_millis(5)), Ok(false));
        gdb.interrupt().unwrap();
        let asked = served.join().unwrap();
        assert_eq!(asked[0], format!("+{}", packet("Z1,8000100,2")));
        assert_eq!(asked[1], format!("+{}", packet("s")));
        assert_eq!(asked[2], format!("+{}", packet("c")));
        assert_eq!(asked[3], "\u{3}");
    }

    #[test]
    fn what_is_not_right_is_told() {
        let (mut gdb, _served) = target(&[&["E14"], &["0102"], &[""]]);
        let mut bytes = [0; 4];
        for answer in ["E14", "0102"] {
            assert_eq!(
                gdb.read(0, &mut bytes),
                Err(GdbError::Answer {
                    request: "m0,4".to_owned(),
                    answer: answer.to_owned()
                })
            );
        }
        assert!(matches!(
            gdb.program_counter(),
            Err(GdbError::Answer { .. })
        ));
        // It has answered three times and is gone.
        assert_eq!(gdb.read(0, &mut bytes), Err(GdbError::Closed));

        let (_from_host, to_target) = std::io::pipe().expect("a pipe");
        let damaged = &b"+$0102#00"[..];
        let mut gdb = Gdb::new(to_target, damaged, Registers::Arm);
        assert_eq!(gdb.read(0, &mut [0; 2]), Err(GdbError::Closed));

        let (mut gdb, _served) = target(&[&["W00"]]);
        gdb.resume().unwrap();
        assert_eq!(gdb.stopped(Duration::from_secs(5)), Err(GdbError::Closed));
    }

    #[test]
    fn the_program_counter_is_the_sixteenth_register() {
        let (mut gdb, served) = target(&[&[concat!(
            "000000000000000000000000000000000000000000000000000000000000",
            "000000000000000000000000000000000000000000000000000000000000",
            "44010008",
        )]]);
        assert_eq!(gdb.program_counter(), Ok(0x0800_0144));
        assert_eq!(served.join().unwrap(), [format!("+{}", packet("g"))]);
    }
}
