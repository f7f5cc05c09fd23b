//! The program itself: what it prints, its exit status, and the file that it leaves, against a simulated chip that it
//! reaches through a probe on the network.

mod support;

use ember_deploy::findings::Findings;
use ember_slot::write::SlotImage;
use ember_slot::{LayoutRecord, Operators, SlotRange};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::chip::{Chip, Event};
use support::device::{CONTROL_BLOCK, EACH, Firmware};
use support::network::serve;
use support::probe::Board;
use tempfile::TempDir;

const CHIP: &str = "STM32F405RGTx";
const FLASH: u32 = 0x0800_0000;

/// A chip that runs the firmware, a folder with what is sent to it, and the probe's selector.
struct Desk {
    board: Board,
    probe: String,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let target = ember_probe::chips::find(CHIP).unwrap().target().unwrap();
        let board = Board::new(Chip::new(&target));
        board.chip().set_program(Firmware::default());
        let desk = Self {
            probe: serve(&board),
            board,
            folder: tempfile::tempdir().unwrap(),
        };
        let images: Vec<u8> = (0..40).flat_map(|image| [image, 1, 2, 3, 40]).collect();
        let expected: Vec<u8> = images.iter().map(|byte| byte + 1).collect();
        fs::write(desk.file("images"), images).unwrap();
        fs::write(desk.file("expected"), expected).unwrap();
        fs::write(desk.file("labels"), [4; 40]).unwrap();
        fs::write(desk.file("image.hex"), hex(&image())).unwrap();
        desk
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command on this chip through this probe.
    fn command(&self, subcommand: &str) -> Command {
        let mut command = program(subcommand);
        command.args(["--chip", CHIP, "--probe", &self.probe]);
        command
    }

    /// The arguments of a conversation.
    fn talking(&self, command: &mut Command) {
        command.arg("--images").arg(self.file("images"));
        command.args(["--input-bytes", &EACH.to_string()]);
        command.args(["--rtt", &format!("{CONTROL_BLOCK:#x}")]);
        command.arg("--expected").arg(self.file("expected"));
        command.arg("--labels").arg(self.file("labels"));
        command.arg("--out").arg(self.file("findings.json"));
    }

    fn findings(&self) -> Findings {
        serde_json::from_slice(&fs::read(self.file("findings.json")).unwrap()).unwrap()
    }
}

fn program(subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ember-probe"));
    command.arg(subcommand).stdin(Stdio::null());
    command
}

fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A vector table whose stack is in RAM and whose first instruction is behind it, and some bytes.
fn image() -> Vec<u8> {
    let mut bytes = vec![0; 5000];
    bytes[..4].copy_from_slice(&0x2002_0000_u32.to_le_bytes());
    bytes[4..8].copy_from_slice(&(FLASH + 0x401).to_le_bytes());
    for (index, byte) in bytes.iter_mut().enumerate().skip(0x400) {
        *byte = index as u8;
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    let mut records = vec![ihex::Record::ExtendedLinearAddress((FLASH >> 16) as u16)];
    for (index, piece) in bytes.chunks(16).enumerate() {
        records.push(ihex::Record::Data {
            offset: (index * 16) as u16,
            value: piece.to_vec(),
        });
    }
    records.push(ihex::Record::EndOfFile);
    ihex::create_object_file_representation(&records).unwrap()
}

#[test]
fn deploy_writes_starts_asks_and_writes_down_what_it_found() {
    let desk = Desk::new();
    let mut command = desk.command("deploy");
    command.arg("--image").arg(desk.file("image.hex"));
    desk.talking(&mut command);
    let (status, _, stderr) = outcome(&command.output().unwrap());
    assert_eq!(status, 0, "{stderr}");
    for verb in ["Attached", "Erasing", "Writing", "Verifying", "Inferring"] {
        assert!(stderr.contains(verb), "{stderr}");
    }
    let findings = desk.findings();
    assert_eq!(findings.probe, desk.probe);
    assert_eq!(findings.flashed.unwrap().erased_bytes, 16 << 10);
    let run = findings.run.unwrap();
    assert_eq!(
        (run.images, run.mismatches, run.correct),
        (40, Some(0), Some(40))
    );
    let chip = desk.board.chip();
    assert_eq!(chip.memory.bytes(FLASH.into(), 5000), image());
    let erased = Event::Erased(u64::from(FLASH)..u64::from(FLASH) + (16 << 10));
    assert_eq!(
        chip.events
            .iter()
            .filter(|event| matches!(event, Event::Erased(_)))
            .collect::<Vec<_>>(),
        [&erased]
    );
}

/// A record of two slots of a sector each, in the firmware's flash, and model version 1 in the first.
fn with_slots(desk: &Desk) -> LayoutRecord {
    let slot = |address| SlotRange {
        address,
        length: 0x2_0000,
    };
    let record = LayoutRecord {
        link_version: 1,
        arena_bytes: 4096,
        slots: [slot(FLASH + 0x2_0000), slot(FLASH + 0x4_0000)],
        operators: Operators::ALL,
        key: None,
    };
    let model = SlotImage::new(b"the first model", 1, 1, None).unwrap();
    let mut chip = desk.board.chip();
    chip.memory
        .write(u64::from(FLASH) + 0x1000, &record.to_bytes());
    chip.memory
        .write(u64::from(FLASH) + 0x2_0000, model.bytes());
    let mut firmware = Firmware::default();
    firmware.record = Some(record);
    chip.set_program(firmware);
    record
}

#[test]
fn update_writes_the_slot_that_does_not_run_and_hears_that_it_does() {
    let desk = Desk::new();
    let record = with_slots(&desk);
    let update = |model: &[u8], more: &[&str]| {
        fs::write(desk.file("model"), model).unwrap();
        let mut command = desk.command("update");
        command.arg("--model").arg(desk.file("model")).args(more);
        outcome(&command.output().unwrap())
    };
    let needs = ["--arena-bytes", "4096", "--operators", "3,4,9"];
    let erased = || -> Vec<u64> {
        let chip = desk.board.chip();
        let erased = chip.events.iter().filter_map(|event| match event {
            Event::Erased(range) => Some(range.start),
            _ => None,
        });
        erased.collect()
    };

    let mut dry = needs.to_vec();
    dry.push("--dry-run");
    let (status, stdout, stderr) = update(b"the second model", &dry);
    assert_eq!(status, 0, "{stderr}");
    assert!(
        stdout.contains("slot 1 at 0x08040000: model version 2, sequence 2"),
        "{stdout}"
    );
    assert!(stdout.contains("slot 0 with model version 1"), "{stdout}");
    assert!(erased().is_empty());

    let (status, _, stderr) = update(b"the second model", &needs);
    assert_eq!(status, 0, "{stderr}");
    assert!(
        stderr.contains("Running slot 1 with model version 2, sequence 2"),
        "{stderr}"
    );
    assert_eq!(erased(), [u64::from(record.slots[1].address)]);

    // The next one goes into the other slot, and can be asked for its answers in the same session.
    let mut command = desk.command("update");
    command.arg("--model").arg(desk.file("model")).args(needs);
    command.args(["--model-version", "9"]);
    desk.talking(&mut command);
    let (status, _, stderr) = outcome(&command.output().unwrap());
    assert_eq!(status, 0, "{stderr}");
    assert!(
        stderr.contains("Running slot 0 with model version 9, sequence 3"),
        "{stderr}"
    );
    let run = desk.findings().run.unwrap();
    assert_eq!(run.slot.unwrap().index, 0);
    assert_eq!(run.mismatches, Some(0));

    let (status, _, stderr) = update(b"a greedy model", &["--arena-bytes", "5000"]);
    assert_eq!(status, 1);
    assert!(
        stderr.contains("5000") && stderr.contains("4096"),
        "{stderr}"
    );
    assert_eq!(erased().len(), 2);
}

#[test]
fn update_of_a_chip_without_the_firmware_is_refused() {
    let desk = Desk::new();
    fs::write(desk.file("model"), b"a model").unwrap();
    let mut command = desk.command("update");
    command.arg("--model").arg(desk.file("model"));
    command.args(["--arena-bytes", "10"]);
    let (status, _, stderr) = outcome(&command.output().unwrap());
    assert_eq!(status, 1);
    assert!(stderr.contains("deploy the firmware"), "{stderr}");
    assert!(desk.board.chip().events.is_empty());
}

#[test]
fn run_restarts_and_asks_without_writing() {
    let desk = Desk::new();
    let mut command = desk.command("run");
    desk.talking(&mut command);
    let (status, _, stderr) = outcome(&command.output().unwrap());
    assert_eq!(status, 0, "{stderr}");
    assert!(desk.findings().flashed.is_none());
    let events = &desk.board.chip().events;
    assert!(
        events.iter().all(|event| *event == Event::Reset),
        "{events:?}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_live_stream_in_good_order() {
    let desk = Desk::new();
    let mut command = desk.command("run");
    desk.talking(&mut command);
    let mut child = command
        .arg("--live")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 200];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    interrupt(child.id());
    let (status, _, stderr) = outcome(&child.wait_with_output().unwrap());
    assert_eq!(status, 0, "{stderr}");
    let run = desk.findings().run.unwrap();
    assert!(run.images > 1);
    assert_eq!(run.mismatches, Some(0));
}

#[cfg(unix)]
#[test]
fn ctrl_c_breaks_a_run_off_with_status_130() {
    let desk = Desk::new();
    fs::write(desk.file("images"), vec![1; EACH * 100_000]).unwrap();
    fs::write(desk.file("expected"), vec![2; EACH * 100_000]).unwrap();
    fs::write(desk.file("labels"), vec![0; 100_000]).unwrap();
    let mut command = desk.command("run");
    desk.talking(&mut command);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    // What it says first is that it is attached, and by then it listens.
    let mut first = [0; 20];
    child
        .stderr
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    interrupt(child.id());
    let (status, _, stderr) = outcome(&child.wait_with_output().unwrap());
    assert_eq!(status, 130, "{stderr}");
    assert!(!desk.file("findings.json").exists());
}

#[cfg(unix)]
fn interrupt(process: u32) {
    let sent = Command::new("kill")
        .args(["-INT", &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn without_a_usable_probe_the_status_is_2() {
    let folder = tempfile::tempdir().unwrap();
    let image_file = folder.path().join("image.hex");
    fs::write(&image_file, hex(&image())).unwrap();
    let mut command = program("deploy");
    command.args(["--chip", CHIP, "--probe", "0483:ffff:NOSUCH"]);
    command.arg("--image").arg(&image_file);
    let (status, stdout, stderr) = outcome(&command.output().unwrap());
    assert_eq!((status, stdout.as_str()), (2, ""));
    assert!(stderr.contains("0483:ffff:NOSUCH"), "{stderr}");
    assert!(stderr.contains(&*image_file.to_string_lossy()), "{stderr}");
    assert_eq!(stderr.matches("error:").count(), 1, "{stderr}");
}

#[test]
fn what_is_wrong_before_the_chip_is_touched_has_status_1() {
    let desk = Desk::new();
    let bad = desk.file("bad.hex");
    fs::write(&bad, ":0100000007F8\n").unwrap();
    let elsewhere = desk.file("elsewhere.hex");
    fs::write(&elsewhere, ":020000041000EA\n:0100000007F8\n:00000001FF\n").unwrap();
    let with_image = |path: &Path| {
        let mut command = desk.command("deploy");
        command.arg("--image").arg(path);
        command
    };
    let mut unknown = program("plan");
    unknown.args(["--chip", "STM32F450RG"]);
    let mut jtag = with_image(&desk.file("image.hex"));
    jtag.args(["--protocol", "jtag"]);
    let mut selector = program("run");
    selector.args(["--chip", CHIP, "--probe", "stlink"]);
    for (mut command, part) in [
        (with_image(&desk.file("missing.hex")), "missing.hex"),
        (with_image(&bad), "cut off"),
        (with_image(&elsewhere), "0x10000000"),
        (unknown, "STM32F4"),
        (jtag, "JTAG"),
        (selector, "VID:PID"),
        (program("nonsense"), "nonsense"),
    ] {
        let (status, _, stderr) = outcome(&command.output().unwrap());
        assert_eq!(status, 1, "{command:?}: {stderr}");
        assert!(stderr.contains(part), "{command:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    assert!(desk.board.chip().events.is_empty());
}

#[test]
fn what_is_known_without_a_chip_is_json() {
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = program(arguments[0])
            .args(&arguments[1..])
            .output()
            .unwrap();
        let (status, stdout, stderr) = outcome(&output);
        assert_eq!(status, 0, "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    let plan = json(&["plan", "--chip", "stm32f405rgtx"]);
    assert_eq!(plan["flash"]["origin"], FLASH);
    let chips = json(&["chips", "STM32F405", "--json"]);
    assert!(chips.as_array().unwrap().len() >= 2);
    assert!(json(&["probes", "--json"]).is_array());
    let desk = Desk::new();
    let image_file = desk.file("image.hex");
    let flash = json(&[
        "flash-plan",
        "--chip",
        CHIP,
        "--json",
        "--image",
        &image_file.to_string_lossy(),
    ]);
    assert_eq!(flash["sectors"].as_array().unwrap().len(), 1);
    assert_eq!(flash["image_bytes"], 5000);
}
