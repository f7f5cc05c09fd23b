//! A debug probe that is reached over TCP and ends at a simulated chip: the network form of a Glasgow Interface Explorer,
//! which is the one probe of probe-rs that needs no USB. What a program under test does with it goes through probe-rs's
//! own driver, wire protocol and access ports.
//!
//! The packets are those that probe-rs's `glasgow` driver sends to the toolkit's `probe-rs` applet; the debug port and the
//! memory access port behind it are those of Arm's ADIv5 (IHI 0031), as far as probe-rs uses them.

use super::probe::Board;
use probe_rs::architecture::arm::FullyQualifiedApAddress;
use probe_rs::architecture::arm::dp::DpAddress;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const IDENTIFIER: &[u8] = b"probe-rs,v01";
const REFERENCE_CLOCK: u32 = 48_000_000;

/// Endpoints behind the one connection.
const ROOT: u8 = 0;
const SWD: u8 = 1;

const OK: u8 = 0b001;
const NO_DATA: u8 = 0x10;

/// A debug port as old as that of an STM32F4.
const DPIDR: u32 = 0x2ba0_1477;
/// An AHB access port.
const AP_IDR: u32 = 0x2477_0011;
const POWERED_UP: u32 = 0xa000_0000;
const DEVICE_ENABLED: u32 = 1 << 6;

/// Serves the chip on a port of its own as long as the test runs, and gives what chooses the probe.
pub fn serve(board: &Board) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let board = board.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client is gone: the next one is served.
            let _ = Probe::new(board.clone()).serve(stream);
        }
    });
    format!("20b7:9db1:tcp:{address}")
}

struct Probe {
    board: Board,
    root: Vec<u8>,
    swd: Vec<u8>,
    divisor: [u8; 2],
    port: Port,
}

impl Probe {
    fn new(board: Board) -> Self {
        Self {
            port: Port::new(board.clone()),
            board,
            root: Vec::new(),
            swd: Vec::new(),
            divisor: [0; 2],
        }
    }

    fn serve(&mut self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut waiting = Vec::new();
        let mut buffer = [0; 65536];
        loop {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            waiting.extend_from_slice(&buffer[..count]);
            while let Some(end) = waiting.iter().position(|byte| *byte == 0) {
                let packet: Vec<u8> = waiting.drain(..=end).collect();
                let packet = cobs::decode_vec(&packet[..end]).map_err(io::Error::other)?;
                match packet.split_first() {
                    Some((&ROOT, bytes)) => self.root.extend_from_slice(bytes),
                    Some((&SWD, bytes)) => self.swd.extend_from_slice(bytes),
                    _ => return Err(io::Error::other("no such endpoint")),
                }
            }
            for (endpoint, answer) in [(ROOT, self.answer_root()), (SWD, self.answer_swd())] {
                if !answer.is_empty() {
                    let packet: Vec<u8> = std::iter::once(endpoint).chain(answer).collect();
                    let mut packet = cobs::encode_vec(&packet);
                    packet.push(0);
                    stream.write_all(&packet)?;
                }
            }
        }
    }

    fn answer_root(&mut self) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut rest = self.root.as_slice();
        while let [command, after @ ..] = rest {
            match command {
                0x00 => answer.extend_from_slice(IDENTIFIER),
                0x10 => answer.extend_from_slice(&REFERENCE_CLOCK.to_le_bytes()),
                0x11 => answer.extend_from_slice(&self.divisor),
                0x12 => {
                    let Some((divisor, after)) = after.split_first_chunk() else {
                        break;
                    };
                    self.divisor = *divisor;
                    rest = after;
                    continue;
                }
                0x21 => self.board.chip().reset(),
                _ => {}
            }
            rest = after;
        }
        self.root = rest.to_vec();
        answer
    }

    fn answer_swd(&mut self) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut rest = self.swd.as_slice();
        while let [command, after @ ..] = rest {
            let (is_sequence, is_read) = (command & 0x20 != 0, command & 2 != 0);
            if is_read && !is_sequence {
                let value = self.port.read(command & 1 != 0, command & 0xc);
                answer.push(OK);
                answer.extend_from_slice(&value.to_le_bytes());
                rest = after;
                continue;
            }
            let Some((data, after)) = after.split_first_chunk() else {
                break;
            };
            if !is_sequence {
                let value = u32::from_le_bytes(*data);
                self.port.write(command & 1 != 0, command & 0xc, value);
                answer.push(NO_DATA | OK);
            }
            rest = after;
        }
        self.swd = rest.to_vec();
        answer
    }
}

/// A debug port with one memory access port.
struct Port {
    board: Board,
    access_port: FullyQualifiedApAddress,
    select: u32,
    control: u32,
    /// What the last read of an access port found, to be given out by the next.
    posted: u32,
    width: u32,
    address: u32,
}

impl Port {
    fn new(board: Board) -> Self {
        Self {
            board,
            access_port: FullyQualifiedApAddress::v1_with_dp(DpAddress::Default, 0),
            select: 0,
            control: 0,
            posted: 0,
            width: 0,
            address: 0,
        }
    }

    fn read(&mut self, is_ap: bool, register: u8) -> u32 {
        if is_ap {
            let value = self.read_ap(register);
            return std::mem::replace(&mut self.posted, value);
        }
        match (register, self.select & 0xf) {
            (0x0, _) => DPIDR,
            (0x4, 0) => self.control | (self.control & POWERED_UP >> 1) << 1,
            (0xc, _) => self.posted,
            _ => 0,
        }
    }

    fn write(&mut self, is_ap: bool, register: u8, value: u32) {
        match (is_ap, register) {
            (true, _) => self.write_ap(register, value),
            (false, 0x4) if self.select & 0xf == 0 => self.control = value,
            (false, 0x8) => self.select = value,
            (false, _) => {}
        }
    }

    /// The register of the access port, or none of an access port that is not there.
    fn register(&self, register: u8) -> Option<u32> {
        (self.select >> 24 == 0).then_some(self.select & 0xf0 | u32::from(register))
    }

    fn read_ap(&mut self, register: u8) -> u32 {
        match self.register(register) {
            Some(0x00) => self.width | DEVICE_ENABLED,
            Some(0x04) => self.address,
            Some(0x0c) => self.read_memory(),
            Some(0xf8) => 0xe00f_f003,
            Some(0xfc) => AP_IDR,
            _ => 0,
        }
    }

    fn write_ap(&mut self, register: u8, value: u32) {
        match self.register(register) {
            Some(0x00) => self.width = value,
            Some(0x04) => self.address = value,
            Some(0x0c) => self.write_memory(value),
            _ => {}
        }
    }

    /// Bytes of one transfer.
    fn transfer(&self) -> u32 {
        1 << (self.width & 3)
    }

    fn advance(&mut self) {
        if self.width >> 4 & 3 != 0 {
            self.address = self.address.wrapping_add(self.transfer());
        }
    }

    fn read_memory(&mut self) -> u32 {
        let mut chip = self.board.chip();
        let _ = chip.access();
        let address = u64::from(self.address);
        let value = chip.read_word(&self.access_port, address & !3);
        drop(chip);
        self.advance();
        value
    }

    fn write_memory(&mut self, value: u32) {
        let mut chip = self.board.chip();
        let _ = chip.access();
        let (address, length) = (u64::from(self.address), self.transfer() as usize);
        if length == 4 {
            chip.write_word(&self.access_port, address, value);
        } else {
            // Bytes travel in the lanes of their addresses.
            let lane = address as usize & 3;
            chip.write(address, &value.to_le_bytes()[lane..lane + length]);
        }
        drop(chip);
        self.advance();
    }
}
