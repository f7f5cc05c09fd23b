//! What is in a model file, and where its bytes are.

use std::fmt;

use ember_tflite::TensorId;

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
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The file's path or name.
    pub name: String,
    /// What the file says about itself.
    pub description: String,
    /// Operators of the main subgraph, in the order of execution.
    pub operators: Vec<InspectedOperator>,
    /// Tensors of the main subgraph.
    pub tensors: Vec<InspectedTensor>,
    /// Subgraphs, the main one included.
    pub subgraphs: usize,
    /// Numbers of the tensors that the caller fills.
    pub inputs: Vec<u32>,
    /// Numbers of the tensors that hold the result.
    pub outputs: Vec<u32>,
    /// Keys of the signatures.
    pub signatures: Vec<String>,
    /// Metadata: its name and its bytes.
    pub metadata: Vec<(String, usize)>,
    /// Where the bytes of the file are.
    pub sizes: Sizes,
    /// Bytes of arena that a session needs, or why the runtime cannot run the model.
    pub arena: Result<usize, String>,
}

/// An operator of the main subgraph.
#[derive(Debug, Clone, PartialEq)]
pub struct InspectedOperator {
    /// Its name in the schema, or that of a custom operator.
    pub name: String,
    /// Its version.
    pub version: i32,
    /// Numbers of the tensors that it reads; `None` where one is left out.
    pub inputs: Vec<Option<u32>>,
    /// Numbers of the tensors that it writes.
    pub outputs: Vec<Option<u32>>,
    /// Bytes of its constants that no operator before it has.
    pub constant_bytes: usize,
}

/// A tensor of the main subgraph.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let graph = model.main();
        let mut counted = Vec::new();
        let operators = graph.operators().map(|operator| {
            let mut constant_bytes = 0;
            for (_, tensor) in names::present(&graph, operator.inputs()) {
                if !tensor.data().is_empty() && !counted.contains(&tensor.buffer_index()) {
                    counted.push(tensor.buffer_index());
                    constant_bytes += tensor.data().len();
                }
            }
            InspectedOperator {
                name: names::operator(&operator),
                version: operator.version(),
                inputs: numbers(operator.inputs().iter()),
                outputs: numbers(operator.outputs().iter()),
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
            operators,
            tensors: tensors.collect(),
            subgraphs: model.subgraphs().count(),
            inputs: graph.inputs().iter().flatten().map(|id| id.0).collect(),
            outputs: graph.outputs().iter().flatten().map(|id| id.0).collect(),
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
}

fn numbers(ids: impl Iterator<Item = Option<TensorId>>) -> Vec<Option<u32>> {
    ids.map(|id| id.map(|id| id.0)).collect()
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
        if self.subgraphs > 1 {
            writeln!(
                f,
                "{} subgraphs, of which this is the main one",
                self.subgraphs
            )?;
        }
        for (side, ids) in [("input", &self.inputs), ("output", &self.outputs)] {
            for id in ids {
                writeln!(f, "{side} {}", self.tensor(*id))?;
            }
        }
        for key in &self.signatures {
            writeln!(f, "signature {key}")?;
        }
        for (name, bytes) in &self.metadata {
            writeln!(f, "metadata {name}: {bytes} bytes")?;
        }
        writeln!(f, "operators:")?;
        for (index, operator) in self.operators.iter().enumerate() {
            let InspectedOperator {
                name,
                version,
                constant_bytes,
                ..
            } = operator;
            writeln!(
                f,
                "  {index:>3} {name} (version {version}), {constant_bytes} bytes of constants"
            )?;
            for (arrow, ids) in [("<-", &operator.inputs), ("->", &operator.outputs)] {
                for id in ids.iter().flatten() {
                    writeln!(f, "      {arrow} {}", self.tensor(*id))?;
                }
            }
        }
        Ok(())
    }
}

impl Inspection {
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
