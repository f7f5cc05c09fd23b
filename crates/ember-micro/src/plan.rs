//! The arena planner: which bytes of the arena each tensor has, and for how long.
//!
//! A tensor lives from the operator that writes it to the last one that reads it; inputs of the model live from the
//! start, its outputs and variables to the end. Operators that only rename ([`renames_input`]) give their output the
//! bytes of their input. Tensors are placed from the largest to the smallest, each at the lowest multiple of
//! [`ALIGNMENT`] that is free for its whole life.
//!
//! A model may bring a plan in its metadata, in TFLM's format (`micro/docs/memory_management.md`). It is followed: the
//! tensors that it leaves to the runtime are placed around the others. A plan that would let two values overwrite each
//! other is an error; it is never run and never silently replaced.

use ember_core::BuiltinOp;
use ember_tflite::{ArenaPlan, Model, OpCode, Subgraph, SubgraphId, TensorId, UNPLANNED};

use crate::error::PrepareError;

/// Every placed tensor begins at a multiple of this from the start of the activations, in bytes.
pub const ALIGNMENT: u32 = 16;

/// Where a tensor lies. Two words, so that a table of them is part of the arena's persistent words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// In the model, at this offset.
    Model(u32),
    /// Among the activations, at this offset.
    Arena(u32),
    /// Where this other tensor lies.
    SameAs(u32),
    /// Not placed (yet).
    Nowhere,
}

impl Location {
    const NOWHERE: u32 = u32::MAX;
    const IN_MODEL: u32 = 1 << 31;
    const SAME_AS: u32 = 1 << 30;

    #[inline(always)]
    pub(crate) const fn from_word(word: u32) -> Self {
        if word == Self::NOWHERE {
            Self::Nowhere
        } else if word & Self::IN_MODEL != 0 {
            Self::Model(word & !Self::IN_MODEL)
        } else if word & Self::SAME_AS != 0 {
            Self::SameAs(word & !Self::SAME_AS)
        } else {
            Self::Arena(word)
        }
    }

    const fn word(self) -> u32 {
        match self {
            Self::Model(offset) => offset | Self::IN_MODEL,
            Self::Arena(offset) => offset,
            Self::SameAs(tensor) => tensor | Self::SAME_AS,
            Self::Nowhere => Self::NOWHERE,
        }
    }
}

/// A row of the table: the location's word and the length in bytes.
pub(crate) type Row = [u32; 2];

/// Operators whose output is their first input under another name or shape.
#[must_use]
pub const fn renames_input(op: BuiltinOp) -> bool {
    matches!(op, BuiltinOp::Reshape)
}

/// When a tensor is in use: the operators from the first to the last, both included.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Life {
    first: u32,
    last: u32,
}

impl Life {
    const NEVER: u32 = u32::MAX;

    const fn from_word(word: u32) -> Option<Self> {
        if word == Self::NEVER {
            return None;
        }
        Some(Self {
            first: word >> 16,
            last: word & 0xffff,
        })
    }

    const fn word(self) -> u32 {
        self.first << 16 | self.last
    }

    const fn meets(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Fills the table of a subgraph's tensors and gives the bytes of activations that they need.
///
/// `table` and `lives` have one element per tensor.
pub(crate) fn plan(
    model: &Model<'_>,
    graph: &Subgraph<'_>,
    table: &mut [Row],
    lives: &mut [u32],
) -> Result<u32, PrepareError> {
    let mut planner = Planner { table, lives };
    let fixed = model.arena_plan();
    let fixed = fixed.filter(|plan| plan.subgraph() == SubgraphId::MAIN);
    planner.read_tensors(graph, model.bytes());
    planner.read_lives(graph, fixed)?;
    let peak = planner.place()?;
    planner.resolve();
    Ok(peak)
}

/// Where [`plan`](self) puts each tensor of the main subgraph: what a model's metadata can carry to the device
/// (`ModelSpec::set_arena_plan`). [`UNPLANNED`] for constants and for what nobody uses.
///
/// # Errors
/// What is wrong with the order of the operators, or with a plan that the model already has.
#[cfg(feature = "alloc")]
pub fn offsets(model: &Model<'_>) -> Result<alloc::vec::Vec<i32>, PrepareError> {
    let graph = model.main();
    let mut table = alloc::vec![[0; 2]; graph.tensor_count()];
    let mut lives = alloc::vec![0; graph.tensor_count()];
    plan(model, &graph, &mut table, &mut lives)?;
    let offset = |[word, len]: &Row| match Location::from_word(*word) {
        Location::Arena(offset) if *len > 0 => offset.cast_signed(),
        Location::Arena(_) | Location::Model(_) | Location::SameAs(_) | Location::Nowhere => {
            UNPLANNED
        }
    };
    Ok(table.iter().map(offset).collect())
}

struct Planner<'t> {
    table: &'t mut [Row],
    lives: &'t mut [u32],
}

impl Planner<'_> {
    /// Lengths and constants.
    fn read_tensors(&mut self, graph: &Subgraph<'_>, model: &[u8]) {
        for (row, tensor) in self.table.iter_mut().zip(graph.tensors()) {
            let data = tensor.data();
            let location = if data.is_empty() {
                Location::Nowhere
            } else {
                let offset = (data.as_ptr() as usize).wrapping_sub(model.as_ptr() as usize);
                Location::Model(offset as u32)
            };
            *row = [location.word(), tensor.byte_len() as u32];
        }
        self.lives.fill(Life::NEVER);
    }

    fn read_lives(
        &mut self,
        graph: &Subgraph<'_>,
        fixed: Option<ArenaPlan<'_>>,
    ) -> Result<(), PrepareError> {
        let planned = |id: u32| fixed.and_then(|plan| plan.offset(id as usize));
        let end = graph.operator_count() as u32;
        for (tensor, id) in graph.tensors().zip(0..) {
            if tensor.is_variable() {
                self.begin(id, 0, 0)?;
                self.fix(id, planned(id))?;
                self.extend(id, end, end)?;
            }
        }
        for TensorId(id) in graph.inputs().iter().flatten() {
            if self.is_written(id) {
                continue;
            }
            self.begin(id, 0, 0)?;
            self.fix(id, planned(id))?;
        }
        for (operator, index) in graph.operators().zip(0..) {
            for TensorId(id) in operator.inputs().iter().flatten() {
                self.extend(id, index, index)?;
            }
            let renamed = match operator.opcode() {
                OpCode::Builtin(op) if renames_input(op) => operator.inputs().get(0),
                _ => None,
            };
            for TensorId(id) in operator.outputs().iter().flatten() {
                if self.is_written(id) {
                    return Err(PrepareError::Rewritten { index, tensor: id });
                }
                let offset = planned(id);
                self.begin(id, index, index)?;
                if let Some(TensorId(input)) = renamed
                    && self.share(id, input, offset)
                {
                    continue;
                }
                self.fix(id, offset)?;
            }
        }
        for TensorId(id) in graph.outputs().iter().flatten() {
            self.extend(id, end, end)?;
        }
        self.check_fixed()
    }

    fn row(&self, tensor: u32) -> Row {
        let row = self.table.get(tensor as usize).copied();
        row.unwrap_or([Location::NOWHERE, 0])
    }

    fn set(&mut self, tensor: u32, location: Location) {
        if let Some([word, _]) = self.table.get_mut(tensor as usize) {
            *word = location.word();
        }
    }

    fn life(&self, tensor: u32) -> Option<Life> {
        Life::from_word(self.lives.get(tensor as usize).copied()?)
    }

    fn set_life(&mut self, tensor: u32, life: Life) {
        if let Some(word) = self.lives.get_mut(tensor as usize) {
            *word = life.word();
        }
    }

    fn is_constant(&self, tensor: u32) -> bool {
        let [word, _] = self.row(tensor);
        matches!(Location::from_word(word), Location::Model(_))
    }

    fn is_written(&self, tensor: u32) -> bool {
        self.is_constant(tensor) || self.life(tensor).is_some() || self.root(tensor) != tensor
    }

    /// The tensor whose bytes this one has.
    fn root(&self, tensor: u32) -> u32 {
        let [word, _] = self.row(tensor);
        match Location::from_word(word) {
            Location::SameAs(root) => root,
            _ => tensor,
        }
    }

    fn begin(&mut self, tensor: u32, first: u32, last: u32) -> Result<(), PrepareError> {
        if self.is_constant(tensor) {
            return Err(PrepareError::Rewritten {
                index: first,
                tensor,
            });
        }
        self.set_life(tensor, Life { first, last });
        Ok(())
    }

    /// Operator `index` reads `tensor`, which is needed until `last`.
    fn extend(&mut self, tensor: u32, last: u32, index: u32) -> Result<(), PrepareError> {
        let [_, len] = self.row(tensor);
        if self.is_constant(tensor) {
            return Ok(());
        }
        let root = self.root(tensor);
        match self.life(root) {
            Some(life) => {
                let last = last.max(life.last);
                self.set_life(root, Life { last, ..life });
                Ok(())
            }
            // A tensor without elements needs nobody who writes it.
            None if len == 0 => Ok(()),
            None => Err(PrepareError::Unwritten { index, tensor }),
        }
    }

    /// Gives `output` the bytes of `input`, if both are activations of one length and the model's plan, where it places
    /// `output`, puts it there too.
    fn share(&mut self, output: u32, input: u32, planned: Option<i32>) -> bool {
        let root = self.root(input);
        let ([root_word, root_len], [_, len]) = (self.row(root), self.row(output));
        let Some(life) = self.life(root) else {
            return false;
        };
        let at_root = match (planned, Location::from_word(root_word)) {
            (None | Some(UNPLANNED), _) => true,
            (Some(offset), Location::Arena(root)) => root.cast_signed() == offset,
            (Some(_), _) => false,
        };
        if len != root_len || len == 0 || !at_root || output == root {
            return false;
        }
        let last = self.life(output).map_or(life.last, |life| life.last);
        self.set_life(root, Life { last, ..life });
        if let Some(word) = self.lives.get_mut(output as usize) {
            *word = Life::NEVER;
        }
        self.set(output, Location::SameAs(root));
        true
    }

    /// Puts a tensor where the model's plan puts it.
    fn fix(&mut self, tensor: u32, offset: Option<i32>) -> Result<(), PrepareError> {
        let offset = match offset {
            None | Some(UNPLANNED) => return Ok(()),
            Some(offset) => offset,
        };
        let [_, len] = self.row(tensor);
        let limit = Location::SAME_AS.cast_signed();
        let end = offset.checked_add(len.cast_signed());
        if offset < 0
            || offset % 4 != 0
            || len > i32::MAX as u32
            || end.is_none_or(|end| end > limit)
        {
            return Err(PrepareError::PlanOffset { tensor, offset });
        }
        self.set(tensor, Location::Arena(offset.cast_unsigned()));
        Ok(())
    }

    /// The placed tensors in use during `life`: number, start and end.
    fn placed(&self, life: Life) -> impl Iterator<Item = (u32, u32, u32)> {
        let rows = self.table.iter().zip(self.lives.iter()).zip(0..);
        rows.filter_map(move |(([word, len], other), tensor)| {
            let Location::Arena(start) = Location::from_word(*word) else {
                return None;
            };
            let other = Life::from_word(*other)?;
            (other.meets(life) && *len > 0).then_some((tensor, start, start.saturating_add(*len)))
        })
    }

    fn check_fixed(&self) -> Result<(), PrepareError> {
        for (([word, len], life), tensor) in self.table.iter().zip(self.lives.iter()).zip(0..) {
            let (Location::Arena(start), Some(life)) =
                (Location::from_word(*word), Life::from_word(*life))
            else {
                continue;
            };
            let end = start.saturating_add(*len);
            for (other, other_start, other_end) in self.placed(life) {
                if other != tensor && start < other_end && other_start < end {
                    return Err(PrepareError::PlanOverlap { tensor, other });
                }
            }
        }
        Ok(())
    }

    /// Places what has no place yet and gives the end of the last tensor.
    fn place(&mut self) -> Result<u32, PrepareError> {
        while let Some((tensor, len, life)) = self.largest_unplaced() {
            let mut offset = 0u32;
            let mut free = false;
            while !free {
                free = true;
                for (_, start, end) in self.placed(life) {
                    if offset < end && start < offset.saturating_add(len) {
                        // Every offset up to there meets this tensor too, so the lowest free one is not passed.
                        offset = end.saturating_add(ALIGNMENT - 1) & !(ALIGNMENT - 1);
                        free = false;
                    }
                }
            }
            if offset.saturating_add(len) > Location::SAME_AS {
                return Err(PrepareError::TooLarge);
            }
            self.set(tensor, Location::Arena(offset));
        }
        let mut peak = 0;
        for ([word, len], life) in self.table.iter().zip(self.lives.iter()) {
            if let (Location::Arena(start), true) =
                (Location::from_word(*word), *life != Life::NEVER)
            {
                peak = peak.max(start.saturating_add(*len));
            }
        }
        Ok(peak)
    }

    fn largest_unplaced(&self) -> Option<(u32, u32, Life)> {
        let mut largest: Option<(u32, u32, Life)> = None;
        for (([word, len], life), tensor) in self.table.iter().zip(self.lives.iter()).zip(0..) {
            if Location::from_word(*word) != Location::Nowhere {
                continue;
            }
            if let Some(life) = Life::from_word(*life)
                && largest.is_none_or(|(_, most, _)| *len > most)
            {
                largest = Some((tensor, *len, life));
            }
        }
        largest
    }

    /// Gives the tensors that share bytes the location of their root; tensors that nobody uses have no bytes.
    fn resolve(&mut self) {
        for index in 0..self.table.len() {
            let row = self.table.get(index).copied().unwrap_or_default();
            let location = match Location::from_word(row[0]) {
                Location::SameAs(root) => {
                    let [word, _] = self.row(root);
                    Location::from_word(word)
                }
                Location::Nowhere => {
                    if let Some([_, len]) = self.table.get_mut(index) {
                        *len = 0;
                    }
                    Location::Arena(0)
                }
                other => other,
            };
            self.set(index as u32, location);
        }
    }
}
