//! Giving a chip a new model without touching its firmware.
//!
//! Everything that is needed stands in the chip's own flash: the firmware's [`LayoutRecord`] says where the slots are, how
//! large the arena is and whose signature a model needs. The new model goes into the slot that does not run. The order in
//! which its sectors are erased and written does not matter: until the last byte is right the firmware does not take the
//! slot for a model, and runs the other.

use crate::chip::Plan;
use crate::error::DeployError;
use crate::image::Segment;
use crate::machine::Region;
use ember_slot::write::{SigningKey, SlotImage, next_slot};
use ember_slot::{
    Candidate, HEADER_BYTES, Header, LayoutRecord, MAX_SLOTS, Operators, PublicKey, RECORD_BYTES,
    RecordError, SLOT_ALIGNMENT, candidates, check,
};

/// Bytes that are looked through for the record at once. Most firmware is read in a few such pieces.
const PIECE: u32 = 8 << 10;

/// A firmware whose record lies further into the flash is none of ours: reading all of a large flash takes a debug probe
/// minutes.
const FIRMWARE_LIMIT: u32 = 512 << 10;

/// A chip's flash, over a debug probe or in a test.
pub trait Flash {
    /// What can go wrong with it.
    type Error: From<DeployError>;

    /// Reads from `address` on as many bytes as there are in `bytes`.
    ///
    /// # Errors
    /// Says why it cannot.
    fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Erases the sectors that the segment touches, all of them, and writes it.
    ///
    /// # Errors
    /// Says why it cannot.
    fn write(&mut self, segment: &Segment) -> Result<(), Self::Error>;
}

/// What a model needs of a firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Bytes of arena.
    pub arena_bytes: u32,
    /// Its builtin operators.
    pub operators: Operators,
}

/// A model to put on a chip.
#[derive(Clone, Copy, Debug)]
pub struct NewModel<'a> {
    /// The `.tflite` file.
    pub bytes: &'a [u8],
    /// The version that the slot's header carries; `None`: one more than that of the model that runs.
    pub version: Option<u32>,
    /// What it needs.
    pub needs: Needs,
    /// Signs it.
    pub key: Option<&'a SigningKey>,
}

/// What a chip with Ember's firmware says about itself.
#[derive(Clone, Debug)]
pub struct Installed {
    record: LayoutRecord,
    key: Option<PublicKey>,
    slots: Vec<Region>,
    /// Of each slot the header and the model, as far as the header tells of one.
    contents: Vec<Vec<u8>>,
}

/// One write that gives a chip a new model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The slot that is written, counted from 0.
    pub slot: usize,
    /// Where it is.
    pub region: Region,
    /// The slot that runs before. Where it is [`Update::slot`], the chip has no other and no model until the write is done.
    pub running: Option<usize>,
    /// The header that is written.
    pub header: Header,
    /// Header and model, with their address.
    pub segment: Segment,
}

impl Installed {
    /// Reads the record and the slots of a chip. Writes nothing.
    ///
    /// # Errors
    /// [`DeployError::NoFirmware`] for a chip without Ember's firmware, [`DeployError::SlotPlace`] when the record's slots
    /// do not lie where slots can, and what [`Flash::read`] says.
    pub fn read<F: Flash>(flash: &mut F, plan: &Plan) -> Result<Self, F::Error> {
        let record = find_record(flash, plan)?;
        let mut slots = Vec::new();
        let mut contents = Vec::new();
        for slot in record.slots() {
            let region = Region {
                origin: slot.address,
                length: slot.length,
            };
            check_place(plan, region, &slots)?;
            slots.push(region);
            contents.push(read_slot(flash, region)?);
        }
        if slots.is_empty() {
            return Err(DeployError::NoFirmware {
                chip: plan.name.clone(),
                problem:
                    "its firmware carries its model and has no slot for another: deploy it anew"
                        .to_owned(),
            }
            .into());
        }
        Ok(Self {
            key: record.key.map(PublicKey::new),
            record,
            slots,
            contents,
        })
    }

    /// What the firmware says about itself.
    #[must_use]
    pub const fn record(&self) -> &LayoutRecord {
        &self.record
    }

    /// Where its slots are.
    #[must_use]
    pub fn slots(&self) -> &[Region] {
        &self.slots
    }

    /// The newest valid model: the one that runs.
    #[must_use]
    pub fn running(&self) -> Option<Candidate<'_>> {
        let mut all: [&[u8]; MAX_SLOTS] = [&[]; MAX_SLOTS];
        for (place, slot) in all.iter_mut().zip(&self.contents) {
            *place = slot;
        }
        candidates(all, self.key.as_ref()).next()
    }

    /// What has to be written so that the chip runs a new model.
    ///
    /// # Errors
    /// When the firmware cannot run the model: [`DeployError::SlotTooSmall`], [`DeployError::ArenaTooSmall`],
    /// [`DeployError::NoKernel`], [`DeployError::KeyNeeded`], [`DeployError::OtherKey`]; and [`DeployError::Slot`].
    pub fn update(&self, model: &NewModel<'_>) -> Result<Update, DeployError> {
        self.check_key(model.key)?;
        self.check_needs(&model.needs)?;
        let contents: Vec<_> = self.contents.iter().map(Vec::as_slice).collect();
        let next = next_slot(&contents, self.key.as_ref())?;
        let region = self.slots[next.index];
        let needed = HEADER_BYTES as u64 + model.bytes.len() as u64;
        if needed > u64::from(region.length) {
            return Err(DeployError::SlotTooSmall {
                slot: next.index,
                needed,
                available: region.length,
            });
        }
        let version = model.version.unwrap_or_else(|| {
            self.running().map_or(1, |running| {
                running.slot.header.model_version.saturating_add(1)
            })
        });
        let image = SlotImage::new(model.bytes, next.sequence, version, model.key)?;
        Ok(Update {
            slot: next.index,
            region,
            running: next.running,
            header: *image.header(),
            segment: Segment {
                address: region.origin,
                bytes: image.into_bytes(),
            },
        })
    }

    fn check_key(&self, signing: Option<&SigningKey>) -> Result<(), DeployError> {
        let Some(key) = &self.key else { return Ok(()) };
        let public = signing
            .map(SigningKey::public)
            .ok_or_else(|| DeployError::KeyNeeded {
                fingerprint: hex(&key.fingerprint()),
            })?;
        if public != *key {
            return Err(DeployError::OtherKey {
                given: hex(&public.fingerprint()),
                expected: hex(&key.fingerprint()),
            });
        }
        Ok(())
    }

    fn check_needs(&self, needs: &Needs) -> Result<(), DeployError> {
        if needs.arena_bytes > self.record.arena_bytes {
            return Err(DeployError::ArenaTooSmall {
                needed: needs.arena_bytes,
                available: self.record.arena_bytes,
            });
        }
        let missing: Vec<_> = needs
            .operators
            .without(&self.record.operators)
            .map(|op| op.name())
            .collect();
        if !missing.is_empty() {
            return Err(DeployError::NoKernel {
                operators: missing.join(", "),
            });
        }
        Ok(())
    }
}

impl Update {
    /// Whether the chip keeps a model to run whatever happens to the write.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.running.is_some_and(|running| running != self.slot)
    }

    /// Writes the slot and reads it back as the firmware will.
    ///
    /// # Errors
    /// [`DeployError::Readback`] when the slot then does not hold the model, and what [`Flash`] says.
    pub fn write<F: Flash>(&self, flash: &mut F) -> Result<(), F::Error> {
        flash.write(&self.segment)?;
        let found = read_slot(flash, self.region)?;
        let problem = match check(&found, None) {
            Ok(slot) if slot.header == self.header => return Ok(()),
            Ok(_) => "the slot holds another model".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(DeployError::Readback {
            address: self.region.origin,
            problem,
        }
        .into())
    }
}

/// Looks through the beginning of the flash, where the firmware is.
fn find_record<F: Flash>(flash: &mut F, plan: &Plan) -> Result<LayoutRecord, F::Error> {
    let end = plan.flash.length.min(FIRMWARE_LIMIT);
    let mut read = Vec::new();
    let mut searched = 0;
    while (read.len() as u32) < end {
        let at = read.len();
        let piece = PIECE.min(end - at as u32);
        read.resize(at + piece as usize, 0);
        flash.read(plan.flash.origin + at as u32, &mut read[at..])?;
        match LayoutRecord::find(&read[searched..]) {
            Ok((_, record)) => return Ok(record),
            // It may begin in this piece and end in the next.
            Err(RecordError::Missing { .. }) => {
                searched = read.len().saturating_sub(RECORD_BYTES) & !3;
            }
            Err(error) => return Err(no_firmware(plan, &error).into()),
        }
    }
    Err(no_firmware(plan, &RecordError::Missing { length: read.len() }).into())
}

fn no_firmware(plan: &Plan, error: &RecordError) -> DeployError {
    DeployError::NoFirmware {
        chip: plan.name.clone(),
        problem: error.to_string(),
    }
}

/// A slot has whole sectors of the chip's flash to itself, and none of them is reserved: what a damaged or foreign record
/// says must not destroy anything.
fn check_place(plan: &Plan, slot: Region, before: &[Region]) -> Result<(), DeployError> {
    let bad = |problem| DeployError::SlotPlace { slot, problem };
    if !plan.flash.contains(slot.origin.into(), slot.length.into()) {
        return Err(bad("it is not in the chip's flash"));
    }
    let starts = plan.sectors().any(|sector| sector.origin == slot.origin);
    let ends = plan.sectors().any(|sector| sector.end() == slot.end());
    if !starts || !ends || !slot.origin.is_multiple_of(SLOT_ALIGNMENT) {
        return Err(bad("it does not begin and end between two sectors"));
    }
    if (slot.length as usize) < HEADER_BYTES {
        return Err(bad("it has no room for a header"));
    }
    if plan.flash.origin == slot.origin {
        return Err(bad("the firmware is there"));
    }
    let overlaps = |other: Region| {
        u64::from(other.origin) < slot.end() && u64::from(slot.origin) < other.end()
    };
    if plan
        .reserved
        .iter()
        .any(|reserved| overlaps(reserved.region))
    {
        return Err(bad("part of it is reserved by the chip"));
    }
    if before.iter().copied().any(overlaps) {
        return Err(bad("another slot is there"));
    }
    Ok(())
}

/// Header and model, as far as the header tells of one: a slot may be much larger than what is in it.
fn read_slot<F: Flash>(flash: &mut F, region: Region) -> Result<Vec<u8>, F::Error> {
    let mut bytes = vec![0; HEADER_BYTES];
    flash.read(region.origin, &mut bytes)?;
    if let Ok(header) = Header::read(&bytes)
        && u64::from(header.model_bytes) + HEADER_BYTES as u64 <= u64::from(region.length)
    {
        bytes.resize(HEADER_BYTES + header.model_bytes as usize, 0);
        flash.read(
            region.origin + HEADER_BYTES as u32,
            &mut bytes[HEADER_BYTES..],
        )?;
    }
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
