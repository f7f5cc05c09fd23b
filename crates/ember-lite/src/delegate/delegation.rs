//! What became of each operator of a model that was given to delegates.

use std::fmt;
use std::sync::Arc;

use super::Compiled;

/// Which delegate runs what of a model.
pub struct Delegation {
    /// In the order in which they run; a partition's number is its place.
    pub(super) partitions: Vec<PlacedPartition>,
    pub(super) declined: Vec<Declined>,
    /// For each operator of the model as it was.
    pub(super) left: Vec<Vec<Left>>,
    /// For each operator of the model as it was, its name.
    pub(super) operators: Vec<String>,
    /// For each operator that is run, those of the model as it was that it stands for.
    pub(super) origins: Vec<Vec<usize>>,
    /// As many as there are partitions.
    pub(super) compiled: Arc<[Box<dyn Compiled>]>,
}

/// A partition in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedPartition {
    /// The name of the delegate that runs it.
    pub delegate: String,
    /// Its operators, by their numbers in the model as it was.
    pub operators: Vec<usize>,
    /// Numbers of the tensors that go in.
    pub inputs: Vec<u32>,
    /// Numbers of the tensors that come out.
    pub outputs: Vec<u32>,
}

/// Operators that a delegate takes each by itself, and not together as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// The delegate's name.
    pub delegate: String,
    /// The operators' numbers.
    pub operators: Vec<usize>,
    /// What the delegate said.
    pub reason: String,
}

/// That a delegate was asked for an operator and does not take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The delegate's name.
    pub delegate: String,
    /// Why.
    pub reason: String,
}

impl Delegation {
    /// The partitions, in the order in which they run.
    #[must_use]
    pub fn partitions(&self) -> &[PlacedPartition] {
        &self.partitions
    }

    /// Partitions that a delegate could not compile; another delegate or the interpreter runs their operators.
    #[must_use]
    pub fn declined(&self) -> &[Declined] {
        &self.declined
    }

    /// The delegates that were asked for operator `index` of the model as it was and do not take it, with their reasons.
    #[must_use]
    pub fn left(&self, index: usize) -> &[Left] {
        self.left.get(index).map_or(&[], Vec::as_slice)
    }

    /// Number and partition that operator `index` of the model as it was is in; `None` where the interpreter runs it.
    #[must_use]
    pub fn partition_of(&self, index: usize) -> Option<(usize, &PlacedPartition)> {
        let mut partitions = self.partitions.iter().enumerate();
        partitions.find(|(_, partition)| partition.operators.contains(&index))
    }

    /// Who runs each operator of the model as it was: a delegate's name, or `None` for the interpreter.
    pub fn placement(&self) -> impl Iterator<Item = Option<&str>> {
        let count = self.operators.len();
        (0..count).map(|index| Some(self.partition_of(index)?.1.delegate.as_str()))
    }

    /// For operator `index` of those that are run, the numbers of the operators that the model had in its place.
    #[must_use]
    pub fn origins(&self, index: usize) -> &[usize] {
        self.origins.get(index).map_or(&[], Vec::as_slice)
    }

    /// What operator `index` of those that are run is called, where it is a partition: `gpu: CONV_2D … SOFTMAX`.
    pub(crate) fn title(&self, index: usize) -> Option<String> {
        let origins = self.origins(index);
        let (_, partition) = self.partition_of(*origins.first()?)?;
        let name = |operator: &usize| self.operators[*operator].as_str();
        let delegate = &partition.delegate;
        Some(match origins {
            [one] => format!("{delegate}: {}", name(one)),
            [first, .., last] => format!("{delegate}: {} … {}", name(first), name(last)),
            [] => return None,
        })
    }
}

impl fmt::Debug for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegation")
            .field("partitions", &self.partitions)
            .field("declined", &self.declined)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let placed = self.placement().flatten().count();
        writeln!(
            f,
            "{placed} of {} operators in {} partitions of delegates",
            self.operators.len(),
            self.partitions.len()
        )?;
        for (index, name) in self.operators.iter().enumerate() {
            match self.partition_of(index) {
                Some((number, partition)) => {
                    let delegate = &partition.delegate;
                    writeln!(f, "  {index:>3} {name:<24} {delegate}, partition {number}")?;
                }
                None => {
                    let left = self.left(index).iter();
                    let left =
                        left.map(|Left { delegate, reason }| format!("{delegate}: {reason}"));
                    let reasons = left.collect::<Vec<_>>().join("; ");
                    let separator = if reasons.is_empty() { "" } else { "   " };
                    writeln!(f, "  {index:>3} {name:<24} interpreter{separator}{reasons}")?;
                }
            }
        }
        for (number, partition) in self.partitions.iter().enumerate() {
            writeln!(
                f,
                "partition {number} of {}: {} operators, tensors {:?} in, {:?} out",
                partition.delegate,
                partition.operators.len(),
                partition.inputs,
                partition.outputs
            )?;
        }
        for declined in &self.declined {
            let Declined {
                delegate,
                operators,
                reason,
            } = declined;
            writeln!(f, "{delegate} declined operators {operators:?}: {reason}")?;
        }
        Ok(())
    }
}
