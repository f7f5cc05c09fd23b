//! What a chip is asked, and what the host says to it.

use anyhow::{Context, Result};
use ember_core::Dtype;
use ember_data::Split;
use ember_lite::{MappedModel, Session};

use crate::stages::eval;

/// Inputs as the model takes them, with the host's outputs.
pub struct Questions {
    /// What they are, for a person.
    pub what: String,
    /// `[count, input_bytes]`.
    pub inputs: Vec<u8>,
    /// Bytes of all inputs of the model.
    pub input_bytes: usize,
    /// `[count, output_bytes]`: what the host runtime says.
    pub expected: Vec<u8>,
    /// Bytes of all outputs of the model.
    pub output_bytes: usize,
    /// The type of its first output.
    pub output_dtype: Dtype,
    /// The right classes; none when the inputs are no images.
    pub labels: Option<Vec<u8>>,
}

impl Questions {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inputs.len().checked_div(self.input_bytes).unwrap_or(0)
    }

    /// Answers of `outputs` that are not the host's.
    #[must_use]
    pub fn mismatches(&self, outputs: &[u8]) -> usize {
        let each = self.output_bytes.max(1);
        let answers = outputs.chunks(each).zip(self.expected.chunks(each));
        let same = answers.filter(|(device, host)| device == host).count();
        self.count() - same
    }

    /// Answers of `outputs` whose greatest score is that of the label; none without labels.
    #[must_use]
    pub fn right(&self, outputs: &[u8]) -> Option<usize> {
        let labels = self.labels.as_ref()?;
        let answers = outputs.chunks_exact(self.output_bytes.max(1)).zip(labels);
        let right = answers.filter(|(scores, label)| {
            eval::argmax(self.output_dtype, scores) == Some(usize::from(**label))
        });
        Some(right.count())
    }
}

/// The first `count` images of `test` where the model takes such images, else as many inputs of random bytes.
///
/// # Errors
/// A model that the host runtime cannot run.
pub fn ask(model: &MappedModel, test: &Split, count: usize) -> Result<Questions> {
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    let input_bytes = input_bytes(&mut session)?;
    let test = test.take(count.min(test.len()));
    let is_image = session.input_count() == 1 && model_takes(&session, &test)?;
    let (what, inputs, labels) = if is_image {
        let inputs = model.quantize_images(test.images())?;
        (
            format!("{} test images", test.len()),
            inputs,
            Some(test.labels().to_vec()),
        )
    } else {
        let shape: Vec<_> = session.input_tensor(0)?.shape().iter().collect();
        (
            format!("{count} random inputs (the model takes {shape:?}, not these images)"),
            noise(count * input_bytes),
            None,
        )
    };
    let mut expected = Vec::new();
    for question in inputs.chunks_exact(input_bytes.max(1)) {
        let mut rest = question;
        for index in 0..session.input_count() {
            let input = session.input(index)?;
            let (bytes, after) = rest
                .split_at_checked(input.len())
                .context("the inputs are shorter than the model's")?;
            input.copy_from_slice(bytes);
            rest = after;
        }
        session.invoke()?;
        for index in 0..session.output_count() {
            expected.extend_from_slice(session.output(index)?);
        }
        session.reset_variables();
    }
    let asked = inputs.len().checked_div(input_bytes).unwrap_or(0);
    let output_bytes = expected.len().checked_div(asked).unwrap_or(0);
    let output_dtype = session.output_tensor(0)?.dtype();
    Ok(Questions {
        what,
        inputs,
        input_bytes,
        expected,
        output_bytes,
        output_dtype,
        labels,
    })
}

/// Bytes of all inputs of a model.
///
/// # Errors
/// None for a session that was made.
pub fn input_bytes(session: &mut Session<'_>) -> Result<usize> {
    (0..session.input_count()).try_fold(0, |sum, index| Ok(sum + session.input(index)?.len()))
}

/// Whether the model's input has as many elements as an image has pixels.
fn model_takes(session: &Session<'_>, test: &Split) -> Result<bool> {
    let pixels = test.images().len().checked_div(test.len()).unwrap_or(0);
    Ok(session.input_tensor(0)?.elements() == pixels)
}

/// Bytes that look random and are the same everywhere: Marsaglia's xorshift32.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    (0..bytes)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 24) as u8
        })
        .collect()
}
