//! Two models on the same input, tensor by tensor.

use std::fmt;

use ember_core::{BuiltinOp, Dtype};
use ember_micro::called_by;
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, VariableSpec};
use ember_tflite::{DECODE, Model, Options, PLAN, SubgraphId, Tensor, TensorId};

use crate::{LiteError, MappedModel, names, scores::Code};

/// How two models differ on one input.
///
/// The tensors of both that have the same name are compared in the order in which the first model computes them; where no
/// name is in both models, the outputs of the operators are compared one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The tensors that both models have.
    pub tensors: Vec<TensorDifference>,
    /// Tensors that only the first model computes.
    pub only_in_a: Vec<String>,
    /// Tensors that only the second model computes.
    pub only_in_b: Vec<String>,
    /// Tensors of called subgraphs that were not looked at, in each model: those beyond about 127.
    pub untraced: [usize; 2],
}

/// One tensor in both models.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorDifference {
    /// Its name in the first model, or its number.
    pub name: String,
    /// The operator that computes it in the first model.
    pub operator: String,
    /// Type and shape in both.
    pub kinds: [String; 2],
    /// Elements whose bytes differ; none where types or shapes do.
    pub different: Option<usize>,
    /// Elements.
    pub elements: usize,
    /// The greatest distance of two elements as real numbers; none where the shapes differ or a tensor stands for no real
    /// numbers.
    pub greatest: Option<f64>,
    /// The signal-to-noise ratio in decibels, the first model being the signal; infinite where they are equal.
    pub decibels: Option<f64>,
}

impl TensorDifference {
    /// Whether type, shape and every byte are the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.different == Some(0)
    }
}

impl Difference {
    /// The first tensor that differs.
    #[must_use]
    pub fn first(&self) -> Option<&TensorDifference> {
        self.tensors.iter().find(|tensor| !tensor.is_equal())
    }
}

/// Runs both models on `input`, real numbers in the shape of their only input, which each quantizes as it says, and compares
/// every tensor that both compute. Of a subgraph that operators call, these are the tensors of its last run, zeros where it
/// never ran; they come in front of what the first operator that calls it computes.
///
/// # Errors
///
/// [`LiteError::NotOneToOne`] and [`LiteError::NotForImages`] where a model has not one input of numbers,
/// [`LiteError::InputLength`], [`LiteError::Write`] for models with options that Ember does not write, and what a run can say.
pub fn diff(a: &MappedModel, b: &MappedModel, input: &[f32]) -> Result<Difference, LiteError> {
    let (a, b) = (Trace::of(a, input)?, Trace::of(b, input)?);
    let by_name = |name: &str| b.tensors.iter().position(|tensor| tensor.name == name);
    let named = a
        .tensors
        .iter()
        .any(|tensor| by_name(&tensor.name).is_some());
    let mut partners = vec![None; a.tensors.len()];
    let mut taken = vec![false; b.tensors.len()];
    for (at, (tensor, partner)) in a.tensors.iter().zip(&mut partners).enumerate() {
        let found = if named {
            by_name(&tensor.name)
        } else {
            (at < b.tensors.len()).then_some(at)
        };
        if let Some(found) = found.filter(|found| !taken[*found]) {
            taken[found] = true;
            *partner = Some(found);
        }
    }
    let mut difference = Difference {
        tensors: Vec::new(),
        only_in_a: Vec::new(),
        only_in_b: Vec::new(),
        untraced: [a.untraced, b.untraced],
    };
    for (tensor, partner) in a.tensors.iter().zip(partners) {
        match partner {
            Some(at) => difference.tensors.push(tensor.compare(&b.tensors[at])),
            None => difference.only_in_a.push(tensor.name.clone()),
        }
    }
    for (tensor, taken) in b.tensors.iter().zip(taken) {
        if !taken {
            difference.only_in_b.push(tensor.name.clone());
        }
    }
    Ok(difference)
}

/// What a model computes on its way.
struct Trace {
    tensors: Vec<Traced>,
    /// Tensors of called subgraphs for which there was no room.
    untraced: usize,
}

/// A tensor after a run.
struct Traced {
    name: String,
    operator: String,
    kind: String,
    bytes: Vec<u8>,
    elements: usize,
    reals: Option<Vec<f32>>,
}

/// A tensor that an operator writes.
struct Written<'m> {
    subgraph: SubgraphId,
    id: TensorId,
    tensor: Tensor<'m>,
    operator: String,
}

impl Written<'_> {
    fn name(&self) -> String {
        let name = names::tensor(self.id, &self.tensor);
        match self.subgraph {
            SubgraphId::MAIN => name,
            SubgraphId(number) => format!("subgraph {number}: {name}"),
        }
    }
}

/// Notes all that the operators of a subgraph write, behind what the subgraphs that they call write.
fn note<'m>(
    model: &Model<'m>,
    subgraph: SubgraphId,
    seen: &mut Vec<SubgraphId>,
    written: &mut Vec<Written<'m>>,
) {
    let Some(graph) = model
        .subgraph(subgraph)
        .filter(|_| !seen.contains(&subgraph))
    else {
        return;
    };
    seen.push(subgraph);
    for operator in graph.operators() {
        for called in called_by(&operator) {
            note(model, called, seen, written);
        }
        // What this writes is never there: its readers decode as they go.
        if operator.custom_name() == DECODE.as_bytes() {
            continue;
        }
        for (id, tensor) in names::present(&graph, operator.outputs()) {
            // A handle says nothing of what its variable holds.
            if tensor.dtype() != Dtype::Resource {
                written.push(Written {
                    subgraph,
                    id,
                    tensor,
                    operator: names::operator(&operator),
                });
            }
        }
    }
}

/// Operators VAR_HANDLE and CALL_ONCE that the runtime takes.
const MOST_HANDLES: usize = 255;

impl Trace {
    /// Runs the model with every tensor that an operator writes as an output of its own, so that each outlives the run. What is
    /// in a subgraph that is called gets there by a variable, which the subgraph assigns whenever it runs.
    fn of(mapped: &MappedModel, input: &[f32]) -> Result<Trace, LiteError> {
        let model = mapped.model()?;
        // From here on, calls are no deeper than the runtime takes them.
        mapped.arena_bytes()?;
        let mut written = Vec::new();
        note(&model, SubgraphId::MAIN, &mut Vec::new(), &mut written);
        let mut spec = mapped.spec()?;
        // A plan lets tensors overwrite each other.
        spec.metadata.retain(|(name, _)| name != PLAN);
        spec.signatures.clear();
        spec.outputs.clear();
        let handles = model.subgraphs().map(|graph| {
            let operators = graph.operators().map(|operator| operator.builtin());
            let is_handle = |op: &_| matches!(op, Some(BuiltinOp::VarHandle | BuiltinOp::CallOnce));
            operators.filter(is_handle).count()
        });
        let mut room = MOST_HANDLES.saturating_sub(handles.sum()) / 2;
        let all = written.len();
        written.retain(|tensor| {
            let fits = tensor.subgraph == SubgraphId::MAIN || room > 0;
            room -= usize::from(fits && tensor.subgraph != SubgraphId::MAIN);
            fits
        });
        for tensor in &written {
            let output = match tensor.subgraph {
                SubgraphId::MAIN => tensor.id,
                SubgraphId(number) => carried_out(&mut spec, number as usize, tensor.id),
            };
            spec.outputs.push(output);
        }
        let untraced = all - written.len();
        let traced = MappedModel::from_bytes(&mapped.write(&spec)?, mapped.name())?;

        let mut arena = traced.arena()?;
        let mut session = traced.session(&mut arena)?;
        let (inputs, outputs) = (session.input_count(), model.main().outputs().len());
        if inputs != 1 {
            return Err(LiteError::NotOneToOne {
                model: mapped.name().to_owned(),
                inputs,
                outputs,
            });
        }
        session.set_real(input)?;
        session.invoke()?;
        let mut tensors = Vec::new();
        for (index, written) in written.into_iter().enumerate() {
            let tensor = written.tensor;
            let bytes = session.output(index)?.to_vec();
            tensors.push(Traced {
                name: written.name(),
                operator: written.operator,
                kind: names::kind(tensor.dtype(), &tensor.shape().iter().collect::<Vec<_>>()),
                elements: tensor.elements(),
                reals: Code::of(&tensor).map(|code| code.decode(&bytes)),
                bytes,
            });
        }
        Ok(Trace { tensors, untraced })
    }
}

/// Has subgraph `number` assign its tensor `id` to a variable and the main one read it; what it reads it to.
fn carried_out(spec: &mut ModelSpec, number: usize, id: TensorId) -> TensorId {
    let variable = VariableSpec {
        container: "diff".to_owned(),
        name: format!("tensor {} of subgraph {number}", id.0),
    };
    let handle = || TensorSpec::new("", Dtype::Resource, [1]);
    let called = &mut spec.called[number - 1];
    let own = TensorId(called.tensors.len() as u32);
    called.tensors.push(handle());
    let mut result = called.tensors[id.index()].clone();
    called.operators.extend([
        OperatorSpec::var_handle(variable.clone(), own),
        OperatorSpec::new(BuiltinOp::AssignVariable, [own, id], [], Options::None),
    ]);
    let own = spec.push_tensor(handle());
    result.data = None;
    let result = spec.push_tensor(result);
    spec.operators.extend([
        OperatorSpec::var_handle(variable, own),
        OperatorSpec::new(BuiltinOp::ReadVariable, [own], [result], Options::None),
    ]);
    result
}

impl Traced {
    fn compare(&self, other: &Traced) -> TensorDifference {
        let width = self.bytes.len().checked_div(self.elements).unwrap_or(0);
        let different = (self.kind == other.kind).then(|| match width {
            // Sub-byte elements are compared as the bytes that hold them.
            0 => unequal(&self.bytes, &other.bytes, 1),
            width => unequal(&self.bytes, &other.bytes, width),
        });
        let reals = self.reals.as_ref().zip(other.reals.as_ref());
        let reals = reals.filter(|(a, b)| a.len() == b.len());
        let (mut greatest, mut signal, mut noise) = (0f64, 0f64, 0f64);
        for (a, b) in reals.into_iter().flat_map(|(a, b)| a.iter().zip(b)) {
            let (a, b) = (f64::from(*a), f64::from(*b));
            greatest = greatest.max((a - b).abs());
            signal += a * a;
            noise += (a - b) * (a - b);
        }
        TensorDifference {
            name: self.name.clone(),
            operator: self.operator.clone(),
            kinds: [self.kind.clone(), other.kind.clone()],
            different,
            elements: self.elements,
            greatest: reals.map(|_| greatest),
            decibels: reals.map(|_| {
                if noise == 0.0 {
                    f64::INFINITY
                } else {
                    10.0 * (signal / noise).log10()
                }
            }),
        }
    }
}

/// How many elements of so many bytes are not the same.
fn unequal(a: &[u8], b: &[u8], width: usize) -> usize {
    let pairs = a.chunks(width).zip(b.chunks(width));
    pairs.filter(|(a, b)| a != b).count()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tensor in &self.tensors {
            let TensorDifference {
                name,
                operator,
                kinds: [a, b],
                different,
                elements,
                ..
            } = tensor;
            write!(f, "{operator:<20} {name}: ")?;
            match different {
                Some(0) => write!(f, "equal, {elements} elements")?,
                Some(different) => write!(f, "{different} of {elements} elements differ")?,
                None => write!(f, "{a} against {b}")?,
            }
            if !tensor.is_equal()
                && let (Some(greatest), Some(decibels)) = (tensor.greatest, tensor.decibels)
            {
                write!(f, ", by {greatest:.6} at most, {decibels:.1} dB")?;
            }
            writeln!(f)?;
        }
        for (side, names) in [("first", &self.only_in_a), ("second", &self.only_in_b)] {
            for name in names {
                writeln!(f, "only in the {side}: {name}")?;
            }
        }
        for (side, untraced) in ["first", "second"].iter().zip(self.untraced) {
            if untraced > 0 {
                writeln!(
                    f,
                    "{untraced} tensors of called subgraphs of the {side} were not looked at: there are too many"
                )?;
            }
        }
        match self.first() {
            None if self.tensors.is_empty() => writeln!(f, "no tensor is in both"),
            None => writeln!(f, "no tensor differs"),
            Some(first) => writeln!(
                f,
                "the first that differs: {} of {}",
                first.name, first.operator
            ),
        }
    }
}
