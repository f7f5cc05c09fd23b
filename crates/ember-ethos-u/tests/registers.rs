//! The driver at the level of registers, against registers in software.

use std::cell::Cell;
use std::rc::Rc;

use ember_ethos_u::{
    Access, Job, Npu, NpuError, Payload, PayloadError, Product, Registers, Target,
};
use ember_micro::{Model, include_model};

static U55: &[u8] = include_model!("data/nano-cnn.ethos-u55-128.tflite");
static U65: &[u8] = include_model!("data/nano-cnn.ethos-u65-256.tflite");

const STATUS: u16 = 0x004;
const CMD: u16 = 0x008;
const RESET: u16 = 0x00c;
const PROT: u16 = 0x024;

/// Registers as the driver's source describes them. Addresses of this machine are larger than the NPU's, so they are cut.
#[derive(Clone)]
struct Fake {
    words: Rc<[Cell<u32>; 1024]>,
    /// What the status reads while it runs, one after the other; the last one stays.
    running: &'static [u32],
    polls: Rc<Cell<usize>>,
    /// Whether the chip refuses secure access.
    locked: bool,
    /// What the status is after a reset.
    after_reset: u32,
    address_mask: u64,
}

impl Fake {
    fn new(config: u32, running: &'static [u32]) -> Self {
        let words: Rc<[Cell<u32>; 1024]> = Rc::new(std::array::from_fn(|_| Cell::new(0)));
        words[0x028 / 4].set(config);
        words[0].set(0x1006_6001);
        words[usize::from(CMD) / 4].set(0b1100);
        Self {
            words,
            running,
            polls: Rc::default(),
            locked: false,
            after_reset: 0,
            address_mask: 0xffff_fff0,
        }
    }

    fn at(&self, offset: u16) -> u32 {
        self.words[usize::from(offset) / 4].get()
    }
}

impl Registers for Fake {
    fn read(&self, offset: u16) -> u32 {
        if offset == STATUS && self.at(STATUS) & 1 == 1 {
            let poll = self.polls.get();
            self.polls.set(poll + 1);
            return self.running[poll.min(self.running.len() - 1)];
        }
        self.at(offset)
    }

    fn write(&mut self, offset: u16, value: u32) {
        self.words[usize::from(offset) / 4].set(value);
        if offset == RESET && !self.locked {
            self.words[usize::from(PROT) / 4].set(value);
        }
        if offset == RESET {
            self.words[usize::from(STATUS) / 4].set(self.after_reset);
            self.words[usize::from(CMD) / 4].set(0b1100);
        }
        if offset == CMD && value & 1 == 1 {
            self.words[usize::from(STATUS) / 4].set(1);
        }
    }

    fn npu_address(&self, address: u64) -> u64 {
        address & self.address_mask
    }
}

const PRIVILEGED: Access = Access {
    secure: true,
    privileged: true,
};
const CONFIG_U55: u32 = 0x0000_1807;
const CONFIG_U65: u32 = 0x1000_3008;
/// The end was reached and the interrupt raised.
const DONE: u32 = 0b10_0010;

fn job<'j>(file: &'static [u8], arena: &'j mut [u8]) -> Job<'j> {
    let graph = Model::parse(file).unwrap().main();
    let inputs = graph.operator(0).unwrap().inputs();
    let input = |at| graph.tensor(inputs.get(at).unwrap()).unwrap();
    let payload = Payload::parse(input(0).data()).unwrap();
    Job {
        target: payload.target,
        commands: payload.commands,
        constants: input(1).data(),
        arena,
        fast_bytes: (inputs.get(2) != inputs.get(3)).then(|| input(3).byte_len()),
    }
}

#[test]
fn a_job_runs_to_its_end() {
    let fake = Fake::new(CONFIG_U55, &[1, 1, DONE]);
    let mut npu = Npu::new(fake.clone(), PRIVILEGED).unwrap();
    assert_eq!(npu.target().product, Product::U55);
    let mut arena = [0; 1168];
    let job = job(U55, &mut arena);
    let mut waits = 0;
    let waited = npu.run(&job, &mut [], || {
        waits += 1;
        true
    });
    assert_eq!((waited, waits), (Ok(()), 2));
    let cut = |address: *const u8| (address as u64 & 0xffff_fff0) as u32;
    assert_eq!(fake.at(RESET), 1);
    assert_eq!(fake.at(0x010), cut(job.commands.bytes().as_ptr()));
    assert_eq!(fake.at(0x020), job.commands.bytes().len() as u32);
    assert_eq!(fake.at(0x080), cut(job.constants.as_ptr()));
    assert_eq!(fake.at(0x088), cut(job.arena.as_ptr()));
    assert_eq!(fake.at(0x090), cut(job.arena.as_ptr()));
    // Ports: constants 3, arena 0, the others 1. Limits: 32 reads, 16 writes.
    assert_eq!((fake.at(0x01c), fake.at(0x03c)), (2, 0x5553));
    assert_eq!(fake.at(0x04c), 0x0f1f_0000);
    // Clock and power may go.
    assert_eq!(fake.at(CMD), 0b1100);
}

#[test]
fn fast_memory_of_a_u65() {
    let mut fake = Fake::new(CONFIG_U65, &[DONE]);
    fake.address_mask = 0xff_ffff_fff0;
    let mut npu = Npu::new(fake.clone(), PRIVILEGED).unwrap();
    let mut arena = [0; 784];
    let job = job(U65, &mut arena);
    let small = NpuError::FastMemory {
        needed: 3792,
        given: 100,
    };
    assert_eq!(npu.run(&job, &mut [0; 100], || true), Err(small));
    let mut fast = [0; 3792];
    assert_eq!(npu.run(&job, &mut fast, || true), Ok(()));
    let address = u64::from(fake.at(0x094)) << 32 | u64::from(fake.at(0x090));
    assert_eq!(address, fast.as_ptr() as u64 & 0xff_ffff_fff0);
    assert_eq!((fake.at(0x03c), fake.at(0x040)), (0x555b, 0x1f3f_0000));
}

#[test]
fn what_can_go_wrong() {
    let mut arena = [0; 1168];
    let job = job(U55, &mut arena);
    let new = |fake: &Fake| Npu::new(fake.clone(), PRIVILEGED);
    let run = |fake: &Fake| new(fake).unwrap().run(&job, &mut [], || false);

    // A bus error, commands that it does not know, and an end before the end.
    for running in [&[0b0110], &[0b1_0010], &[0b0010]] {
        let (fake, [status]) = (Fake::new(CONFIG_U55, running), *running);
        assert_eq!(run(&fake), Err(NpuError::Fault(status)));
        // It was reset.
        assert_eq!(fake.at(STATUS), 0);
    }
    assert_eq!(run(&Fake::new(CONFIG_U55, &[1])), Err(NpuError::Timeout));

    let other = Fake::new(0x0000_3008, &[DONE]);
    let has = Target {
        macs_per_cycle: 256,
        shram_kib: 48,
        ..job.target
    };
    let wanted = job.target;
    assert_eq!(run(&other), Err(NpuError::Target { wanted, has }));

    let mut beyond = Fake::new(CONFIG_U55, &[DONE]);
    beyond.address_mask = u64::MAX;
    assert!(matches!(run(&beyond), Err(NpuError::Address(_))));

    let absent = NpuError::Absent(PayloadError::Product(15));
    assert_eq!(new(&Fake::new(u32::MAX, &[])).err(), Some(absent));
    let mut locked = Fake::new(CONFIG_U55, &[]);
    locked.locked = true;
    assert_eq!(new(&locked).err(), Some(NpuError::Access));
    let mut stuck = Fake::new(CONFIG_U55, &[]);
    stuck.after_reset = 0b1000;
    assert_eq!(new(&stuck).err(), Some(NpuError::Reset));
}
