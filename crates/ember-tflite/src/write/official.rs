//! The same check of the layout by the official verifier, for tests and fuzzing to hold against ours.
//!
//! It visits the tables and fields that [`structure`](crate::structure) visits, with the primitives of the flatbuffers
//! crate. What it accepts the crate's own accessors could read without a check.

use core::marker::PhantomData;

use flatbuffers::{
    ForwardsUOffset, InvalidFlatbuffer, TableVerifier, Vector, Verifiable, Verifier,
    VerifierOptions,
};

use crate::schema::{Check, IsTable, Model, Row, TableId};

/// Runs the official flatbuffers verifier over the parts of a `.tflite` file that Ember reads.
///
/// # Errors
/// The verifier's own.
pub fn verify(bytes: &[u8]) -> Result<(), InvalidFlatbuffer> {
    let options = VerifierOptions::default();
    let mut verifier = Verifier::new(&options, bytes);
    <ForwardsUOffset<Root>>::run_verifier(&mut verifier, 0)
}

struct Root(PhantomData<()>);

impl Verifiable for Root {
    fn run_verifier(verifier: &mut Verifier<'_, '_>, at: usize) -> Result<(), InvalidFlatbuffer> {
        table(verifier, at, Model::ID)
    }
}

fn entry(slot: u8) -> flatbuffers::VOffsetT {
    flatbuffers::VOffsetT::from(slot) * 2 + 4
}

fn table(verifier: &mut Verifier<'_, '_>, at: usize, id: TableId) -> Result<(), InvalidFlatbuffer> {
    let mut visited = verifier.visit_table(at)?;
    for row in id.rows() {
        visited = field(visited, row)?;
    }
    visited.finish();
    Ok(())
}

fn field<'ver, 'opts, 'buf>(
    mut visited: TableVerifier<'ver, 'opts, 'buf>,
    row: &Row,
) -> Result<TableVerifier<'ver, 'opts, 'buf>, InvalidFlatbuffer> {
    let slot = entry(row.slot);
    match row.check {
        Check::Scalar(1) | Check::Zero(1) | Check::Code(_) => {
            visited.visit_field::<u8>("", slot, false)
        }
        Check::Scalar(4) | Check::Zero(4) | Check::Index(_) => {
            visited.visit_field::<u32>("", slot, false)
        }
        Check::Scalar(_) | Check::Zero(_) => visited.visit_field::<u64>("", slot, false),
        Check::Text => visited.visit_field::<ForwardsUOffset<&str>>("", slot, false),
        Check::Vector(1) => visited.visit_field::<ForwardsUOffset<Vector<'_, u8>>>("", slot, false),
        Check::Vector(4) | Check::ShortVector(_) | Check::Indices => {
            visited.visit_field::<ForwardsUOffset<Vector<'_, u32>>>("", slot, false)
        }
        Check::Vector(_) => {
            visited.visit_field::<ForwardsUOffset<Vector<'_, u64>>>("", slot, false)
        }
        Check::Table(id) => {
            if let Some(at) = visited.deref(slot)? {
                let to = at.saturating_add(visited.verifier().get_uoffset(at)? as usize);
                table(visited.verifier(), to, id)?;
            }
            Ok(visited)
        }
        Check::Tables(id) => {
            if let Some(at) = visited.deref(slot)? {
                let verifier = visited.verifier();
                let list = at.saturating_add(verifier.get_uoffset(at)? as usize);
                let len = verifier.get_uoffset(list)? as usize;
                let first = list.saturating_add(4);
                verifier.is_aligned::<u32>(first)?;
                verifier.range_in_buffer(first, len.saturating_mul(4))?;
                for element in (0..len).map(|index| first + 4 * index) {
                    let to = element.saturating_add(verifier.get_uoffset(element)? as usize);
                    table(verifier, to, id)?;
                }
            }
            Ok(visited)
        }
        Check::Options => visited.visit_union::<u8, _>(
            "",
            entry(row.slot - 1),
            "",
            slot,
            false,
            |code, verifier, at| {
                let id = TableId::options(code);
                if id.rows().is_empty() {
                    return Ok(());
                }
                let to = at.saturating_add(verifier.get_uoffset(at)? as usize);
                table(verifier, to, id)
            },
        ),
    }
}
