//! Files that vela made of a model of the zoo: what is in them, and what the operator does with them.
//!
//! `tests/data` was made by `tools/vela/compile.py`; the lists of commands are vela's own.

use std::cell::RefCell;

use ember_ethos_u::{Driver, EthosU, Job, Payload, PayloadError, Product, Stopped, Target};
use ember_micro::{
    Arena, BuiltinOp, Fault, Interpreter, InvokeError, InvokeFault, Model, PrepareError,
    Registration, include_model,
};
use ember_tflite::PLAN;
use proptest::prelude::*;

static U55: &[u8] = include_model!("data/nano-cnn.ethos-u55-128.tflite");
static U65: &[u8] = include_model!("data/nano-cnn.ethos-u65-256.tflite");

/// The first input of the only operator, and the bytes of the second.
fn operator(file: &[u8]) -> (&[u8], usize) {
    let model = Model::parse(file).unwrap();
    let graph = model.main();
    let operator = graph.operator(0).unwrap();
    let input = |at| graph.tensor(operator.inputs().get(at).unwrap()).unwrap();
    (input(0).data(), input(1).data().len())
}

#[test]
fn commands_are_listed_as_vela_lists_them() {
    for (file, listing) in [
        (U55, include_str!("data/nano-cnn.ethos-u55-128.txt")),
        (U65, include_str!("data/nano-cnn.ethos-u65-256.txt")),
    ] {
        let commands = Payload::parse(operator(file).0).unwrap().commands;
        let lines: Vec<_> = commands.iter().map(|command| command.to_string()).collect();
        assert_eq!(lines, listing.lines().collect::<Vec<_>>());
    }
}

#[test]
fn the_npu_that_a_file_is_for() {
    let u55 = Target {
        product: Product::U55,
        macs_per_cycle: 128,
        shram_kib: 24,
        stream_version: 0,
        custom_dma: false,
        architecture: [1, 0, 6],
    };
    let target = |file| Payload::parse(operator(file).0).unwrap().target;
    assert_eq!(target(U55), u55);
    assert_eq!(target(U65).product, Product::U65);
    assert_eq!(target(U65).macs_per_cycle, 256);
    assert!(u55.runs(&u55) && !u55.runs(&target(U65)));
    let newer = |architecture| Target {
        architecture,
        ..u55
    };
    assert!(newer([1, 1, 0]).runs(&u55));
    assert!(!newer([2, 0, 6]).runs(&u55));
}

#[test]
fn what_the_commands_take_of_memory() {
    let (payload, constants) = operator(U55);
    let needs = Payload::parse(payload).unwrap().commands.needs().bytes;
    // Weights and scales, and behind them a tensor of 48 bytes, of which only the beginning is known.
    assert_eq!((needs[0], constants), (4736 - 48 + 1, 4736));
    assert!((385..=1168).contains(&needs[1]), "{needs:?}");
    let needs = Payload::parse(operator(U65).0).unwrap().commands.needs();
    assert!((1..=3792).contains(&needs.bytes[2]), "{needs:?}");
}

/// What the driver saw of a job.
#[derive(Debug, PartialEq)]
struct Seen {
    image: Vec<u8>,
    constants: usize,
    arena: usize,
    fast: Option<usize>,
}

thread_local! {
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// In place of an NPU: notes the image at its place in the arena and writes ten scores to theirs.
struct Recorder<const IMAGE: usize>;

impl<const IMAGE: usize> Driver for Recorder<IMAGE> {
    fn run(job: Job<'_>) -> Result<(), Stopped> {
        let image = job.arena[IMAGE..IMAGE + 784].to_vec();
        if image[0] == 0 {
            return Err(Stopped(1000));
        }
        let seen = Seen {
            image,
            constants: job.constants.len(),
            arena: job.arena.len(),
            fast: job.fast_bytes,
        };
        SEEN.with(|cell| cell.replace(Some(seen)));
        for (at, score) in job.arena[..10].iter_mut().enumerate() {
            *score = 100 + at as u8;
        }
        Ok(())
    }
}

/// Where the plans put the image; the scores are at 0 in both, in the U65's over the image.
static ON_U55: &[Registration] = &[Registration::of::<EthosU<Recorder<384>>>()];
static ON_U65: &[Registration] = &[Registration::of::<EthosU<Recorder<0>>>()];

#[test]
fn a_driver_gets_the_model_s_memory() {
    for (file, kernels, arena, fast) in [(U55, ON_U55, 1168, None), (U65, ON_U65, 784, Some(3792))]
    {
        let model = Model::parse(file).unwrap();
        let mut memory = Arena::<2048>::new();
        let mut interpreter = Interpreter::new(&model, kernels, &mut memory).unwrap();
        let image: Vec<u8> = (0..784).map(|pixel| (pixel % 251) as u8 + 1).collect();
        interpreter.input(0).unwrap().copy_from_slice(&image);
        interpreter.invoke().unwrap();
        let scores: Vec<u8> = (100..110).collect();
        assert_eq!(interpreter.output(0).unwrap(), scores);
        let seen = Seen {
            image,
            constants: 4736,
            arena,
            fast,
        };
        assert_eq!(SEEN.with(RefCell::take), Some(seen));

        interpreter.input(0).unwrap().fill(0);
        let error = InvokeError {
            index: 0,
            fault: InvokeFault::Custom(1000),
        };
        assert_eq!(interpreter.invoke(), Err(error));
    }
}

/// Prepares a changed copy of the file.
fn prepare(file: &[u8], change: impl FnOnce(&mut [u8])) -> Result<(), PrepareError> {
    #[repr(align(16))]
    struct Copy([u8; 16384]);
    let mut copy = Box::new(Copy([0; 16384]));
    let bytes = &mut copy.0[..file.len()];
    bytes.copy_from_slice(file);
    change(bytes);
    let model = Model::parse(bytes).unwrap();
    let mut memory = Arena::<2048>::new();
    Interpreter::new(&model, ON_U55, &mut memory).map(drop)
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes
        .windows(what.len())
        .position(|window| window == what)
        .unwrap()
}

#[test]
fn what_is_wrong_with_a_file_is_an_error() {
    let refused = |code| {
        Err(PrepareError::Operator {
            subgraph: 0,
            index: 0,
            op: BuiltinOp::Custom,
            fault: Fault::Custom(code),
        })
    };
    assert_eq!(prepare(U55, |_| {}), Ok(()));
    let payload = find(U55, b"COP1");
    assert_eq!(prepare(U55, |file| file[payload] = b'X'), refused(2));
    // Bits 28 to 31 of CONFIG.
    assert_eq!(prepare(U55, |file| file[payload + 11] |= 0x20), refused(3));
    // A transfer of weights from beyond the constants: the payload of the first SET_WEIGHT_LENGTH.
    let length = payload + 4 + find(&U55[payload..], &[0x21, 0x40, 0, 0]);
    assert_eq!(prepare(U55, |file| file[length + 2] = 1), refused(5));

    // Without the plan, nobody knows where the commands expect the tensors.
    let plan = find(U55, PLAN.as_bytes());
    let error = PrepareError::PlanOffset {
        tensor: 2,
        offset: -1,
    };
    assert_eq!(prepare(U55, |file| file[plan] = b'o'), Err(error));
    // The image moved out of the arena region.
    let offsets = [5, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let image = find(U55, &offsets) + 16;
    assert_eq!(U55[image..image + 4], 384_i32.to_le_bytes());
    assert_eq!(
        prepare(U55, |file| file[image..image + 4]
            .copy_from_slice(&400_i32.to_le_bytes())),
        refused(4)
    );
}

#[test]
fn damaged_payloads() {
    let (payload, _) = operator(U55);
    let parse = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut copy = payload.to_vec();
        change(&mut copy);
        Payload::parse(&copy).map(|_| ()).unwrap_err()
    };
    let cut = parse(&|bytes| bytes.truncate(100));
    assert_eq!(cut, PayloadError::CutOff(100));
    assert!(cut.to_string().contains("cut off"), "{cut}");
    assert_eq!(parse(&|bytes| bytes.truncate(99)), PayloadError::CutOff(99));
    assert_eq!(parse(&|bytes| bytes.truncate(16)), PayloadError::Order);
    assert_eq!(parse(&|bytes| bytes.clear()), PayloadError::CutOff(0));
    let word = 0x0000_0009;
    assert_eq!(
        parse(&|bytes| bytes[16] = 9),
        PayloadError::Action { at: 4, word }
    );
    // The commands begin at byte 32 with a region.
    assert_eq!(
        parse(&|bytes| bytes[34] = 3),
        PayloadError::Region { at: 0, region: 3 }
    );
    let word = 0x0001_03ff;
    assert_eq!(
        parse(&|bytes| bytes[32..34].copy_from_slice(&[0xff, 0x03])),
        PayloadError::Command { at: 0, word }
    );
    let last = payload.len() - 4;
    assert_eq!(parse(&|bytes| bytes[last] = 1), PayloadError::Endless);
}

proptest! {
    /// Whatever the bytes are, they are read or refused, and what was read can be listed.
    #[test]
    fn no_payload_panics(at in 0..2728_usize, byte: u8, len in 0..2729_usize) {
        let mut bytes = operator(U55).0.to_vec();
        bytes[at] = byte;
        bytes.truncate(len);
        if let Ok(payload) = Payload::parse(&bytes) {
            let _ = payload.commands.needs();
            for command in &payload.commands {
                prop_assert!(command.name().is_some());
            }
        }
    }
}
