//! A node of the file: its operands by position, its attributes by name and type.

use onnx_ir::{AttributeProto, AttributeType, NodeProto, TensorProto};

use crate::OnnxError;

/// A node, borrowed from the file.
#[derive(Clone, Copy)]
pub(crate) struct OnnxNode<'m> {
    proto: &'m NodeProto,
    /// Version of ONNX's own operators.
    pub(crate) opset: i64,
}

impl<'m> OnnxNode<'m> {
    pub(crate) const fn new(proto: &'m NodeProto, opset: i64) -> Self {
        Self { proto, opset }
    }

    /// What an error calls it.
    pub(crate) fn label(&self) -> String {
        if self.proto.name.is_empty() {
            format!("the node that makes {:?}", self.first_output())
        } else {
            format!("the node {:?}", self.proto.name)
        }
    }

    pub(crate) fn op(&self) -> &'m str {
        &self.proto.op_type
    }

    /// The operator's domain; empty is ONNX's own.
    pub(crate) fn domain(&self) -> &'m str {
        match self.proto.domain.as_str() {
            "ai.onnx" => "",
            other => other,
        }
    }

    pub(crate) fn fail(&self, problem: impl Into<String>) -> OnnxError {
        OnnxError::Node {
            node: self.label(),
            op: self.op().to_owned(),
            problem: problem.into(),
        }
    }

    /// Names of the operands; an empty one is left out.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &'m str> + use<'m> {
        self.proto.input.iter().map(String::as_str)
    }

    /// The operand at this position, if it is given.
    pub(crate) fn input(&self, index: usize) -> Option<&'m str> {
        let name = self.proto.input.get(index)?.as_str();
        (!name.is_empty()).then_some(name)
    }

    /// Names of the results; an empty one is not made.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &'m str> + use<'m> {
        self.proto.output.iter().map(String::as_str)
    }

    /// The name of the result.
    ///
    /// # Errors
    /// When it makes none.
    pub(crate) fn output(&self) -> Result<&'m str, OnnxError> {
        let name = self.first_output();
        if name.is_empty() {
            return Err(self.fail("makes no result"));
        }
        Ok(name)
    }

    /// What the values that belong to the node are named after: its first result that is made.
    pub(crate) fn output_stem(&self) -> &'m str {
        self.outputs()
            .find(|output| !output.is_empty())
            .unwrap_or("node")
    }

    fn first_output(&self) -> &'m str {
        self.proto.output.first().map_or("", String::as_str)
    }

    /// Refuses every attribute that is not among `known`: what is not understood must not be passed over.
    ///
    /// # Errors
    /// When there is one.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), OnnxError> {
        let mut attributes = self.proto.attribute.iter();
        let strange = attributes.find(|attribute| !known.contains(&attribute.name.as_str()));
        match strange {
            None => Ok(()),
            Some(strange) if known.is_empty() => Err(self.fail(format!(
                "has the attribute {:?} and takes none",
                strange.name
            ))),
            Some(strange) => Err(self.fail(format!(
                "the attribute {:?} is not supported; supported are {}",
                strange.name,
                known.join(", ")
            ))),
        }
    }

    fn attribute(
        &self,
        name: &str,
        kind: AttributeType,
        article: &str,
    ) -> Result<Option<&'m AttributeProto>, OnnxError> {
        let mut attributes = self.proto.attribute.iter();
        let Some(found) = attributes.find(|attribute| attribute.name == name) else {
            return Ok(None);
        };
        if found.type_.enum_value() != Ok(kind) {
            return Err(self.fail(format!("the attribute {name:?} must be {article}")));
        }
        Ok(Some(found))
    }

    pub(crate) fn int(&self, name: &str) -> Result<Option<i64>, OnnxError> {
        let found = self.attribute(name, AttributeType::INT, "an integer")?;
        Ok(found.map(|attribute| attribute.i))
    }

    /// An integer that is 0 or 1; `default` where it is not given.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, OnnxError> {
        match self.int(name)? {
            None => Ok(default),
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(other) => Err(self.fail(format!(
                "the attribute {name:?} must be 0 or 1, and is {other}"
            ))),
        }
    }

    pub(crate) fn float(&self, name: &str) -> Result<Option<f32>, OnnxError> {
        let found = self.attribute(name, AttributeType::FLOAT, "a float")?;
        Ok(found.map(|attribute| attribute.f))
    }

    pub(crate) fn floats(&self, name: &str) -> Result<Option<&'m [f32]>, OnnxError> {
        let found = self.attribute(name, AttributeType::FLOATS, "a list of floats")?;
        Ok(found.map(|attribute| attribute.floats.as_slice()))
    }

    pub(crate) fn ints(&self, name: &str) -> Result<Option<&'m [i64]>, OnnxError> {
        let found = self.attribute(name, AttributeType::INTS, "a list of integers")?;
        Ok(found.map(|attribute| attribute.ints.as_slice()))
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<&'m str>, OnnxError> {
        let Some(found) = self.attribute(name, AttributeType::STRING, "a string")? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&found.s);
        let text = text.map_err(|_| self.fail(format!("the attribute {name:?} is not UTF-8")))?;
        Ok(Some(text))
    }

    /// A list of texts.
    pub(crate) fn strings(&self, name: &str) -> Result<Option<Vec<&'m str>>, OnnxError> {
        let Some(found) = self.attribute(name, AttributeType::STRINGS, "a list of strings")? else {
            return Ok(None);
        };
        let texts = found.strings.iter().map(|text| std::str::from_utf8(text));
        let texts: Result<Vec<&str>, _> = texts.collect();
        let texts = texts.map_err(|_| self.fail(format!("the attribute {name:?} is not UTF-8")))?;
        Ok(Some(texts))
    }

    pub(crate) fn tensor(&self, name: &str) -> Result<Option<&'m TensorProto>, OnnxError> {
        let found = self.attribute(name, AttributeType::TENSOR, "a tensor")?;
        Ok(found.and_then(|attribute| attribute.t.as_ref()))
    }

    /// [`OnnxNode::extents`] of a window, height first. Over a signal the file gives the width's alone, and the height's are
    /// `default`.
    pub(crate) fn window_extents<const N: usize>(
        &self,
        name: &str,
        (least, default): (usize, usize),
        signal: bool,
    ) -> Result<[usize; N], OnnxError> {
        match (signal, N, self.ints(name)?) {
            (true, 2, Some(_)) => {
                let [width] = self.extents(name, least, default)?;
                Ok(std::array::from_fn(
                    |at| if at == 1 { width } else { default },
                ))
            }
            (true, _, Some(_)) => {
                let [left, right] = self.extents(name, least, default)?;
                Ok(std::array::from_fn(|at| match at {
                    1 => left,
                    3 => right,
                    _ => default,
                }))
            }
            _ => self.extents(name, least, default),
        }
    }

    /// A list of `N` extents of at least `least`; `default` each where it is not given.
    pub(crate) fn extents<const N: usize>(
        &self,
        name: &str,
        least: usize,
        default: usize,
    ) -> Result<[usize; N], OnnxError> {
        let Some(given) = self.ints(name)? else {
            return Ok([default; N]);
        };
        // The arithmetic on windows adds and multiplies a few of them.
        let usable = |given: &i64| {
            let extent = usize::try_from(*given).ok()?;
            (extent >= least && extent <= 1 << 20).then_some(extent)
        };
        let extents: Option<Vec<usize>> = given.iter().map(usable).collect();
        extents
            .and_then(|extents| extents.try_into().ok())
            .ok_or_else(|| {
                self.fail(format!(
                    "the attribute {name:?} must be {N} numbers of at least {least}, for height and width, and is {given:?}"
                ))
            })
    }
}
