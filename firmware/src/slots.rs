//! Which slot's model runs: the newest that is whole, signed where it must be, and can be prepared.

use crate::interpreter::Interpreted;
use ember_link::{ErrorCode, Failure, Refusal, Slots};
use ember_micro::Registration;
use ember_slot::{Header, PublicKey, SlotError, candidates, check};

/// A firmware has at most so many slots.
const MAX: usize = ember_slot::MAX_SLOTS;

/// The model that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen<'m> {
    /// Its file.
    pub model: &'m [u8],
    /// What is said about it.
    pub slots: Slots,
}

/// Chooses among slots, each with all its bytes in flash. `arena`, beginning at a multiple of 16, is used to find out
/// whether a model can be prepared, and is free again afterwards.
///
/// # Errors
/// [`ErrorCode::NoModel`], with what is wrong with each slot.
pub fn choose<'m, const N: usize>(
    slots: [&'m [u8]; N],
    key: Option<&PublicKey>,
    registry: &'static [Registration],
    arena: &mut [u8],
) -> Result<Chosen<'m>, Failure> {
    const { assert!(N <= MAX) };
    let mut refusals = [0; MAX];
    let mut running = None;
    for candidate in candidates(slots, key) {
        match Interpreted::new(candidate.slot.model, registry, arena) {
            Ok(_) => {
                running = Some(candidate);
                break;
            }
            Err(failure) => {
                if let Some(refusal) = refusals.get_mut(candidate.index) {
                    *refusal = unprepared(failure);
                }
            }
        }
    }
    // Those that were not even candidates. What is older than the model that runs was not hashed, and is not now.
    for (index, (slot, refusal)) in slots.into_iter().zip(&mut refusals).enumerate() {
        let is_known = *refusal != 0 || running.is_some_and(|running| running.index == index);
        if is_known {
            continue;
        }
        let newest = running.map(|running| running.slot.header.sequence);
        let error = match Header::read(slot) {
            Err(error) => Some(error),
            Ok(header) if newest.is_none_or(|newest| header.sequence >= newest) => {
                check(slot, key).err()
            }
            Ok(_) => None,
        };
        *refusal = error.map_or(0, |error| unfit(&error));
    }
    let Some(running) = running else {
        return Err(Failure {
            code: ErrorCode::NoModel,
            details: refusals,
        });
    };
    Ok(Chosen {
        model: running.slot.model,
        slots: Slots {
            running: running.index as u32,
            sequence: running.slot.header.sequence,
            model_version: running.slot.header.model_version,
            refusals,
        },
    })
}

/// What is said about a slot that is not right.
fn unfit(error: &SlotError) -> u32 {
    let (refusal, detail) = match *error {
        SlotError::Short { .. } => (Refusal::Short, 0),
        SlotError::Magic { .. } => (Refusal::Empty, 0),
        SlotError::HeaderCrc { .. } => (Refusal::Header, 0),
        SlotError::Format { found } => (Refusal::Format, u32::from(found)),
        SlotError::Field { .. } => (Refusal::Field, 0),
        SlotError::Length { model, .. } => (Refusal::Length, model),
        SlotError::Hash => (Refusal::Hash, 0),
        SlotError::Unsigned => (Refusal::Unsigned, 0),
        SlotError::Signature => (Refusal::Signature, 0),
    };
    refusal.to_word(detail)
}

/// What is said about a model that is as it was written, and does not run here.
fn unprepared(failure: Failure) -> u32 {
    let [number, detail] = failure.details;
    match failure.code {
        ErrorCode::Model => Refusal::Model.to_word(0),
        _ if number == crate::interpreter::ARENA_TOO_SMALL => Refusal::Arena.to_word(detail),
        _ => Refusal::Prepare.to_word(number),
    }
}
