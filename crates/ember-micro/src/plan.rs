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
//!
//! What an operator needs besides its tensors ([`Prepare::scratch`](crate::Prepare::scratch)) lies behind everything that
//! is in use while it runs.
//!
//! The memory that an NPU works in ([`ETHOS_U_ARENA`]) lies where the plan puts it, over other tensors too: which of its
//! bytes the NPU writes is in its commands, and the compiler that wrote both kept what is still needed apart.
//!
//! A tensor between two operators that one kernel does together ([`Kernel::NEXT`](crate::Kernel::NEXT)) has no bytes. A
//! plan in the metadata is one for operators that are done one by one, so it is checked and not followed then.

use core::cell::Cell;

use ember_core::BuiltinOp;
#[cfg(feature = "alloc")]
use ember_tflite::Model;
use ember_tflite::{
    ArenaPlan, DECODE, ETHOS_U, ETHOS_U_ARENA, ETHOS_U_FAST, Operator, Subgraph, SubgraphId,
    TensorId, TensorIds, UNPLANNED,
};

use crate::error::PrepareError;
use crate::fusion;
use crate::kernel::Registration;
use crate::ops::circular_buffer;
#[cfg(feature = "alloc")]
use crate::registry;

/// Every placed tensor begins at a multiple of this from the start of the activations, in bytes.
pub const ALIGNMENT: u32 = 16;

/// Tensors and operators that a model has at most: their numbers are kept in 16 bits.
pub(crate) const LIMIT: usize = 65534;

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

/// A [`Row`] while it is worked out.
pub(crate) type RowCell = [Cell<u32>; 2];

#[inline(always)]
const fn read(row: &RowCell) -> Row {
    [row[0].get(), row[1].get()]
}

/// Operators whose output is their first input under another name or shape.
#[must_use]
pub const fn renames_input(op: BuiltinOp) -> bool {
    matches!(
        op,
        BuiltinOp::Reshape | BuiltinOp::Squeeze | BuiltinOp::ExpandDims
    )
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

/// Fills the table of a subgraph's tensors and gives the end of the activations.
///
/// `table` and `lives` have one element per tensor. The activations begin at `floor`: 0 for the main subgraph, else behind
/// what the callers use.
#[inline(never)]
pub(crate) fn plan(
    graph: &Subgraph<'_>,
    id: SubgraphId,
    registry: &[Registration],
    table: &[RowCell],
    lives: &[Cell<u32>],
    floor: u32,
) -> Result<u32, PrepareError> {
    let fixed = graph.model().arena_plan();
    let fixed = fixed.filter(|plan| plan.subgraph() == id && id == SubgraphId::MAIN);
    let mut planner = Planner {
        id,
        table,
        lives,
        fixed,
        floor,
        peak: floor,
    };
    let fuses = (0..graph.operator_count()).any(|at| fusion::row(graph, at, registry).is_some());
    if fuses && fixed.is_some() {
        // It is checked, as it always is, and then not followed.
        planner.all(graph, &[])?;
        planner.fixed = None;
        planner.peak = floor;
    }
    planner.all(graph, registry)?;
    Ok(planner.peak)
}

/// Where [`plan`](self) puts each tensor of the main subgraph when operators are done one by one: what a model's metadata can
/// carry to the device (`ModelSpec::set_arena_plan`). [`UNPLANNED`] for constants and for what nobody uses.
///
/// # Errors
/// What is wrong with the order of the operators, or with a plan that the model already has.
#[cfg(feature = "alloc")]
pub fn offsets(model: &Model<'_>) -> Result<alloc::vec::Vec<i32>, PrepareError> {
    offsets_with(model, registry::ALL)
}

/// [`offsets`] where the interpreter has this registry, which may have kernels that do two operators: what is between these is
/// [`UNPLANNED`].
///
/// # Errors
/// As [`offsets`].
#[cfg(feature = "alloc")]
pub fn offsets_with(
    model: &Model<'_>,
    registry: &[Registration],
) -> Result<alloc::vec::Vec<i32>, PrepareError> {
    let graph = model.main();
    let mut words = alloc::vec![0; graph.tensor_count() * 3];
    let words = Cell::from_mut(words.as_mut_slice()).as_slice_of_cells();
    let (lives, table) = words.split_at(graph.tensor_count());
    let table = table.as_chunks().0;
    plan(&graph, SubgraphId::MAIN, registry, table, lives, 0)?;
    let offset = |row: &RowCell| {
        let [word, len] = read(row);
        match Location::from_word(word) {
            Location::Arena(offset) if len > 0 => offset.cast_signed(),
            Location::Arena(_) | Location::Model(_) | Location::SameAs(_) | Location::Nowhere => {
                UNPLANNED
            }
        }
    };
    Ok(table.iter().map(offset).collect())
}

/// Where the activations of a subgraph lie and when they live, for what operators need besides them.
pub(crate) struct Activations<'p> {
    pub(crate) table: &'p [RowCell],
    pub(crate) lives: &'p [Cell<u32>],
    /// Where they begin.
    pub(crate) floor: u32,
    /// The end of the last activation, and of the scratch behind any.
    pub(crate) peak: Cell<u32>,
    /// Bytes behind the activations of all subgraphs for what operators keep from run to run.
    pub(crate) state: &'p Cell<u32>,
}

impl Activations<'_> {
    /// The first aligned offset behind everything that is in use while operator `index` runs.
    #[inline(never)]
    pub(crate) fn end_during(&self, index: u32) -> u32 {
        let now = Life {
            first: index,
            last: index,
        };
        let mut end = self.floor;
        for (row, life) in self.table.iter().zip(self.lives) {
            let [word, len] = read(row);
            if let (Location::Arena(start), Some(life)) =
                (Location::from_word(word), Life::from_word(life.get()))
                && life.meets(now)
            {
                end = start.saturating_add(len).max(end);
            }
        }
        aligned(end)
    }

    /// Notes that there are bytes up to `end`. None where there cannot be so many.
    pub(crate) fn reach(&self, end: u32) -> Option<()> {
        self.peak.set(end.max(self.peak.get()));
        (end <= Location::SAME_AS).then_some(())
    }
}

/// The next multiple of [`ALIGNMENT`].
pub(crate) const fn aligned(offset: u32) -> u32 {
    offset.saturating_add(ALIGNMENT - 1) & !(ALIGNMENT - 1)
}

struct Planner<'t> {
    id: SubgraphId,
    table: &'t [RowCell],
    /// [`Life`]s. Tensors that lie where another one lies have none of their own.
    lives: &'t [Cell<u32>],
    fixed: Option<ArenaPlan<'t>>,
    /// Where the activations begin.
    floor: u32,
    /// The end of the last activation.
    peak: u32,
}

/// What the planner knows of a tensor.
struct Entry {
    location: Location,
    len: u32,
    life: Option<Life>,
}

impl Planner<'_> {
    fn all(&mut self, graph: &Subgraph<'_>, registry: &[Registration]) -> Result<(), PrepareError> {
        self.read_tensors(graph);
        self.read_lives(graph, registry)?;
        self.place()?;
        self.resolve();
        Ok(())
    }

    /// Lengths, constants and variables.
    fn read_tensors(&self, graph: &Subgraph<'_>) {
        let whole_run = Life {
            first: 0,
            last: graph.operator_count() as u32,
        };
        for (([word, len], life), tensor) in self.table.iter().zip(self.lives).zip(graph.tensors())
        {
            let (offset, constant_len) = tensor.data_range();
            let (location, alive) = if constant_len > 0 {
                (Location::Model(offset as u32), Life::NEVER)
            } else if tensor.is_variable() {
                (Location::Nowhere, whole_run.word())
            } else {
                (Location::Nowhere, Life::NEVER)
            };
            word.set(location.word());
            len.set(tensor.byte_len() as u32);
            life.set(alive);
        }
    }

    fn read_lives(
        &mut self,
        graph: &Subgraph<'_>,
        registry: &[Registration],
    ) -> Result<(), PrepareError> {
        for TensorId(id) in graph.inputs().iter().flatten() {
            if !self.is_written(id) {
                self.set_life(id, Life { first: 0, last: 0 });
            }
        }
        let mut index = 0;
        // Whether the operator before this one is done together with it: then nothing is between the two, and what it
        // writes is there from the first one on.
        let mut fused = false;
        for operator in graph.operators() {
            let npu = operator.custom_name() == ETHOS_U.as_bytes();
            let first = if fused {
                index - 1
            } else {
                if npu {
                    self.place_memory(&operator)?;
                }
                self.read(operator.inputs(), index)?;
                index
            };
            fused = !fused && fusion::row(graph, index as usize, registry).is_some();
            if fused {
                index += 1;
                continue;
            }
            let renamed = match operator.builtin() {
                Some(op) if renames_input(op) => operator.inputs().get(0),
                _ => None,
            };
            let decode = operator.custom_name() == DECODE.as_bytes();
            let buffer = operator.custom_name() == circular_buffer::NAME.as_bytes();
            for (TensorId(id), place) in operator.outputs().iter().flatten().zip(0..) {
                // The one operator whose output is a variable: it lives as long as any.
                if buffer && graph.tensor(TensorId(id)).is_some_and(|t| t.is_variable()) {
                    continue;
                }
                if self.is_written(id) {
                    return Err(PrepareError::Rewritten {
                        subgraph: self.id.0,
                        index,
                        tensor: id,
                    });
                }
                if decode && self.stand_for(id, operator.inputs().get(place * 2)) {
                    continue;
                }
                if !renamed.is_some_and(|TensorId(input)| self.share(id, input)) {
                    let mut life = Life { first, last: index };
                    if npu {
                        // It may lie over inputs that are not needed behind: the commands read them first.
                        (life.first, life.last) = (index + 1, index + 1);
                    }
                    self.set_life(id, life);
                }
            }
            index += 1;
        }
        self.read(graph.outputs(), index)
    }

    /// Operator `index` reads these tensors.
    #[inline(never)]
    fn read(&self, ids: TensorIds<'_>, index: u32) -> Result<(), PrepareError> {
        for TensorId(tensor) in ids.iter().flatten() {
            let root = self.root(tensor);
            let Entry {
                location,
                len,
                life,
            } = self.entry(root);
            match life {
                // A variable lives to the end, whoever reads it.
                Some(life) => self.set_life(
                    root,
                    Life {
                        last: index.max(life.last),
                        ..life
                    },
                ),
                // A constant, or a tensor without elements, needs nobody who writes it.
                None if len == 0 || matches!(location, Location::Model(_)) => {}
                // The memory of an NPU, which is no value.
                None if matches!(location, Location::Arena(_)) => {}
                None => {
                    return Err(PrepareError::Unwritten {
                        subgraph: self.id.0,
                        index,
                        tensor,
                    });
                }
            }
        }
        Ok(())
    }

    /// Places the memory that an NPU works in, the only tensor with a place and without a life. Its fast memory is elsewhere.
    #[inline(never)]
    fn place_memory(&mut self, operator: &Operator<'_>) -> Result<(), PrepareError> {
        let memory = |at| {
            operator
                .inputs()
                .get(at)
                .filter(|id: &TensorId| !self.is_written(id.0))
        };
        let (arena, fast) = (memory(ETHOS_U_ARENA), memory(ETHOS_U_FAST));
        if let Some(TensorId(tensor)) = arena {
            let offset = self.planned(tensor);
            let end = self.end_of(tensor, offset)?;
            self.peak = self.peak.max(end);
            self.set(tensor, Location::Arena(offset.cast_unsigned()));
        }
        if let Some(TensorId(tensor)) = fast.filter(|_| fast != arena)
            && let Some([word, len]) = self.table.get(tensor as usize)
        {
            word.set(0);
            len.set(0);
        }
        Ok(())
    }

    /// Where a tensor at this planned offset ends.
    fn end_of(&self, tensor: u32, offset: i32) -> Result<u32, PrepareError> {
        let end = offset
            .cast_unsigned()
            .saturating_add(self.entry(tensor).len);
        // A negative offset is beyond everything.
        if offset % 4 != 0 || end > Location::SAME_AS {
            return Err(PrepareError::PlanOffset { tensor, offset });
        }
        Ok(end)
    }

    /// Lets a decoded tensor stand for the bytes that it is decoded from, if those are constant: its readers decode them
    /// as they go.
    fn stand_for(&self, output: u32, encoded: Option<TensorId>) -> bool {
        let row = encoded.and_then(|TensorId(id)| self.table.get(id as usize));
        let row = row.map(read);
        let constant =
            row.filter(|[word, _]| matches!(Location::from_word(*word), Location::Model(_)));
        match (constant, self.table.get(output as usize)) {
            (Some(row), Some([word, len])) => {
                word.set(row[0]);
                len.set(row[1]);
                true
            }
            _ => false,
        }
    }

    /// Gives `output` the bytes of `input`, if both are activations of one length and the model's plan, where it places
    /// `output`, puts it there too.
    fn share(&self, output: u32, input: u32) -> bool {
        let root = self.root(input);
        let (from, to) = (self.entry(root), self.entry(output));
        let planned = self.planned(output);
        let together = planned == UNPLANNED || planned == self.planned(root);
        let share = from.life.is_some() && from.len == to.len && to.len > 0 && together;
        if share {
            self.set(output, Location::SameAs(root));
        }
        share
    }

    #[inline(never)]
    fn entry(&self, tensor: u32) -> Entry {
        let row = self.table.get(tensor as usize).map(read);
        let [word, len] = row.unwrap_or([Location::NOWHERE, 0]);
        let life = self.lives.get(tensor as usize).map(Cell::get);
        Entry {
            location: Location::from_word(word),
            len,
            life: Life::from_word(life.unwrap_or(Life::NEVER)),
        }
    }

    fn set(&self, tensor: u32, location: Location) {
        if let Some([word, _]) = self.table.get(tensor as usize) {
            word.set(location.word());
        }
    }

    fn set_life(&self, tensor: u32, life: Life) {
        if let Some(word) = self.lives.get(tensor as usize) {
            word.set(life.word());
        }
    }

    fn is_written(&self, tensor: u32) -> bool {
        let entry = self.entry(tensor);
        entry.location != Location::Nowhere || entry.life.is_some()
    }

    /// The tensor whose bytes this one has.
    fn root(&self, tensor: u32) -> u32 {
        match self.entry(tensor).location {
            Location::SameAs(root) => root,
            Location::Model(_) | Location::Arena(_) | Location::Nowhere => tensor,
        }
    }

    /// The offset in the model's own plan.
    fn planned(&self, tensor: u32) -> i32 {
        let offset = self.fixed.and_then(|plan| plan.offset(tensor as usize));
        offset.unwrap_or(UNPLANNED)
    }

    /// A placed tensor that would share bytes with `tensor` at `start` during its life: its number and its end.
    #[inline(never)]
    fn conflict(&self, tensor: u32, start: u32, len: u32, life: Life) -> Option<(u32, u32)> {
        let end = start.saturating_add(len);
        for ((row, other_life), other) in self.table.iter().zip(self.lives).zip(0..) {
            let [word, other_len] = read(row);
            if let (Location::Arena(other_start), Some(other_life)) =
                (Location::from_word(word), Life::from_word(other_life.get()))
            {
                let other_end = other_start.saturating_add(other_len);
                let apart = end <= other_start || other_end <= start || !life.meets(other_life);
                if !apart && other != tensor && len > 0 && other_len > 0 {
                    return Some((other, other_end));
                }
            }
        }
        None
    }

    /// Places every tensor that has a life: first those that the model's own plan places, then the largest.
    fn place(&mut self) -> Result<(), PrepareError> {
        while let Some((tensor, len, life)) = self.next() {
            let planned = self.planned(tensor);
            // A negative offset is beyond everything.
            let fixed = planned != UNPLANNED;
            let mut offset = if fixed {
                planned.cast_unsigned()
            } else {
                self.floor
            };
            if offset % 4 != 0 || offset > Location::SAME_AS {
                return Err(PrepareError::PlanOffset {
                    tensor,
                    offset: planned,
                });
            }
            while let Some((other, end)) = self.conflict(tensor, offset, len, life) {
                if fixed {
                    return Err(PrepareError::PlanOverlap { tensor, other });
                }
                // Every offset up to there meets the other tensor too, so the lowest free one is not passed.
                offset = aligned(end);
            }
            let end = offset.saturating_add(len);
            if end > Location::SAME_AS {
                return Err(PrepareError::TooLarge);
            }
            self.peak = self.peak.max(end);
            self.set(tensor, Location::Arena(offset));
        }
        Ok(())
    }

    /// The tensor to be placed next: its number, length and life.
    fn next(&self) -> Option<(u32, u32, Life)> {
        let mut next = None;
        let mut most = 0;
        for ((row, life), tensor) in self.table.iter().zip(self.lives).zip(0..) {
            let [word, len] = read(row);
            let (Location::Nowhere, Some(life)) =
                (Location::from_word(word), Life::from_word(life.get()))
            else {
                continue;
            };
            let fixed = self.planned(tensor) != UNPLANNED;
            let rank = if fixed { u32::MAX } else { len };
            if rank > most || next.is_none() {
                most = rank;
                next = Some((tensor, len, life));
            }
        }
        next
    }

    /// Gives the tensors that share bytes the location of their root; tensors that nobody uses have no bytes.
    fn resolve(&self) {
        for tensor in 0..self.table.len() as u32 {
            let location = self.entry(self.root(tensor)).location;
            if location == Location::Nowhere {
                if let Some([word, len]) = self.table.get(tensor as usize) {
                    word.set(0);
                    len.set(0);
                }
            } else {
                self.set(tensor, location);
            }
        }
    }
}
