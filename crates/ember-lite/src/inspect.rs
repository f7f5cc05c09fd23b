//! What is in a model file, and where its bytes are.

use std::fmt;

use ember_micro::called_by;
use ember_tflite::{Subgraph, TensorId};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::{LiteError, MappedModel, names};

/// What a model file holds.
///
/// ```
/// # fn show(path: &std::path::Path) -> Result<(), ember_lite::LiteError> {
/// let model = ember_lite::MappedModel::open(path)?;
/// println!("{}", ember_lite::Inspection::of(&model)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file's path or name.
    pub name: String,
    /// What the file says about itself.
    pub description: String,
    /// The main subgraph, and behind it those that operators may call.
    pub subgraphs: Vec<InspectedSubgraph>,
    /// Keys of the signatures.
    pub signatures: Vec<String>,
    /// Metadata: its name and its bytes.
    pub metadata: Vec<(String, usize)>,
    /// Where the bytes of the file are.
    pub sizes: Sizes,
    /// Bytes of arena that a session needs, or why the runtime cannot run the model.
    #[serde(serialize_with = "bytes_or_error")]
    pub arena: Result<usize, String>,
}

/// A subgraph.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectedSubgraph {
    /// Its name; may be empty.
    pub name: String,
    /// Its operators, in the order of execution.
    pub operators: Vec<InspectedOperator>,
    /// Its tensors.
    pub tensors: Vec<InspectedTensor>,
    /// Numbers of the tensors that its caller fills.
    pub inputs: Vec<u32>,
    /// Numbers of the tensors that hold the result.
    pub outputs: Vec<u32>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectedOperator {
    /// Its name in the schema, or that of a custom operator.
    pub name: String,
    /// Its version.
    pub version: i32,
    /// Numbers of the tensors that it reads; `None` where one is left out.
    pub inputs: Vec<Option<u32>>,
    /// Numbers of the tensors that it writes.
    pub outputs: Vec<Option<u32>>,
    /// Numbers of the subgraphs that it calls, in the order of its options.
    pub calls: Vec<u32>,
    /// The variable of a VAR_HANDLE.
    pub variable: Option<String>,
    /// Bytes of its constants that no operator before it has.
    pub constant_bytes: usize,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectedTensor {
    /// Its name; may be empty.
    pub name: String,
    /// Its type and shape, such as `INT8 [1, 28, 28, 1]`.
    pub kind: String,
    /// What its integers stand for, in words; empty where it has no quantization.
    pub quantization: String,
    /// Bytes of its elements.
    pub bytes: usize,
    /// Whether its bytes are in the file.
    pub is_constant: bool,
    /// Whether its content lives from one run to the next.
    pub is_variable: bool,
}

/// Where the bytes of a file are. They add up to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// The whole file.
    pub file: usize,
    /// Constants, each counted once however many tensors share it.
    pub constants: usize,
    /// Metadata.
    pub metadata: usize,
    /// The rest: names, shapes, scales, options and what holds them together.
    pub structure: usize,
}

impl Inspection {
    /// Looks at a model. That the runtime cannot run it is no error here: [`arena`](Self::arena) says why.
    ///
    /// # Errors
    ///
    /// [`LiteError::Read`], which cannot happen unless the file was changed since it was opened.
    pub fn of(mapped: &MappedModel) -> Result<Inspection, LiteError> {
        let model = mapped.model()?;
        let mut counted = Vec::new();
        let subgraphs = model.subgraphs();
        let subgraphs = subgraphs.map(|graph| InspectedSubgraph::of(&graph, &mut counted));
        let subgraphs = subgraphs.collect();
        let metadata: Vec<(String, usize)> = model
            .metadata_entries()
            .map(|(name, bytes)| (name.to_owned(), bytes.len()))
            .collect();
        let constants = mapped.weight_bytes()?;
        let metadata_bytes = metadata.iter().map(|(_, bytes)| bytes).sum();
        let file = mapped.bytes().len();
        Ok(Inspection {
            name: mapped.name().to_owned(),
            description: model.description().to_owned(),
            subgraphs,
            signatures: model
                .signatures()
                .map(|signature| signature.key().to_owned())
                .collect(),
            metadata,
            sizes: Sizes {
                file,
                constants,
                metadata: metadata_bytes,
                structure: file.saturating_sub(constants + metadata_bytes),
            },
            arena: mapped.arena_bytes().map_err(|error| error.to_string()),
        })
    }

    /// The main subgraph.
    #[must_use]
    pub fn main(&self) -> &InspectedSubgraph {
        // A model that was opened has one.
        &self.subgraphs[0]
    }
}

impl InspectedSubgraph {
    /// `counted` are the buffers whose bytes were counted already.
    fn of(graph: &Subgraph<'_>, counted: &mut Vec<usize>) -> InspectedSubgraph {
        let operators = graph.operators().map(|operator| {
            let mut constant_bytes = 0;
            for (_, tensor) in names::present(graph, operator.inputs()) {
                if !tensor.data().is_empty() && !counted.contains(&tensor.buffer_index()) {
                    counted.push(tensor.buffer_index());
                    constant_bytes += tensor.data().len();
                }
            }
            let variable = operator.variable();
            InspectedOperator {
                name: names::operator(&operator),
                version: operator.version(),
                inputs: numbers(operator.inputs().iter()),
                outputs: numbers(operator.outputs().iter()),
                calls: called_by(&operator).map(|id| id.0).collect(),
                variable: variable.map(|(_, name)| String::from_utf8_lossy(name).into_owned()),
                constant_bytes,
            }
        });
        let operators = operators.collect();
        let tensors = graph.tensors().map(|tensor| InspectedTensor {
            name: tensor.name().to_owned(),
            kind: names::kind(tensor.dtype(), &tensor.shape().iter().collect::<Vec<_>>()),
            quantization: names::quantization(tensor.quantization()),
            bytes: tensor.byte_len(),
            is_constant: !tensor.data().is_empty(),
            is_variable: tensor.is_variable(),
        });
        InspectedSubgraph {
            name: graph.name().to_owned(),
            operators,
            tensors: tensors.collect(),
            inputs: graph.inputs().iter().flatten().map(|id| id.0).collect(),
            outputs: graph.outputs().iter().flatten().map(|id| id.0).collect(),
        }
    }
}

fn numbers(ids: impl Iterator<Item = Option<TensorId>>) -> Vec<Option<u32>> {
    ids.map(|id| id.map(|id| id.0)).collect()
}

/// As `{"bytes": 3104}` or `{"error": "…"}`.
fn bytes_or_error<S: Serializer>(
    arena: &Result<usize, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    match arena {
        Ok(bytes) => map.serialize_entry("bytes", bytes)?,
        Err(error) => map.serialize_entry("error", error)?,
    }
    map.end()
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sizes {
            file,
            constants,
            metadata,
            structure,
        } = self.sizes;
        writeln!(f, "{}: {file} bytes", self.name)?;
        if !self.description.is_empty() {
            writeln!(f, "  {}", self.description)?;
        }
        let share = |bytes: usize| 100.0 * bytes as f64 / file.max(1) as f64;
        for (what, bytes) in [
            ("constants", constants),
            ("metadata", metadata),
            ("structure", structure),
        ] {
            writeln!(f, "  {what:<10} {bytes:>10}  {:>5.1} %", share(bytes))?;
        }
        match &self.arena {
            Ok(bytes) => writeln!(f, "arena: {bytes} bytes")?,
            Err(error) => writeln!(f, "does not run here: {error}")?,
        }
        for key in &self.signatures {
            writeln!(f, "signature {key}")?;
        }
        for (name, bytes) in &self.metadata {
            writeln!(f, "metadata {name}: {bytes} bytes")?;
        }
        for (number, subgraph) in self.subgraphs.iter().enumerate() {
            if self.subgraphs.len() > 1 {
                writeln!(f, "subgraph {number} {}", subgraph.name)?;
            }
            write!(f, "{subgraph}")?;
        }
        Ok(())
    }
}

impl fmt::Display for InspectedSubgraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (side, ids) in [("input", &self.inputs), ("output", &self.outputs)] {
            for id in ids {
                writeln!(f, "{side} {}", self.tensor(*id))?;
            }
        }
        writeln!(f, "operators:")?;
        for (index, operator) in self.operators.iter().enumerate() {
            let InspectedOperator {
                name,
                version,
                constant_bytes,
                ..
            } = operator;
            write!(
                f,
                "  {index:>3} {name} (version {version}), {constant_bytes} bytes of constants"
            )?;
            for called in &operator.calls {
                write!(f, ", calls subgraph {called}")?;
            }
            if let Some(variable) = &operator.variable {
                write!(f, ", variable {variable}")?;
            }
            writeln!(f)?;
            for (arrow, ids) in [("<-", &operator.inputs), ("->", &operator.outputs)] {
                for id in ids.iter().flatten() {
                    writeln!(f, "      {arrow} {}", self.tensor(*id))?;
                }
            }
        }
        Ok(())
    }
}

impl InspectedSubgraph {
    /// One line about a tensor.
    fn tensor(&self, id: u32) -> String {
        let Some(tensor) = self.tensors.get(id as usize) else {
            return format!("#{id}");
        };
        let mut line = format!("#{id} {}", tensor.kind);
        let stored = tensor.is_constant.then_some("constant");
        let variable = tensor.is_variable.then_some("variable");
        let quantization = Some(tensor.quantization.as_str()).filter(|text| !text.is_empty());
        let name = Some(tensor.name.as_str()).filter(|name| !name.is_empty());
        for part in [stored, variable, quantization, name].into_iter().flatten() {
            line.push_str(", ");
            line.push_str(part);
        }
        line
    }
}
