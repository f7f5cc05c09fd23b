//! Accuracy and loss of a model over a data set, on as many threads as one likes.

use std::{
    num::NonZeroUsize,
    slice::ChunksMut,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    Arena, ImageEncoder, LiteError, MappedModel, Session,
    scores::{Code, argmax, cross_entropy},
};

/// Images that a thread takes at a time: few enough that the threads end together, many enough that taking is no work.
const CHUNK: usize = 32;

/// Images of a data set.
#[derive(Debug, Clone, Copy)]
pub struct Images<'d> {
    /// `[N, rows, cols]`, bytes 0..=255.
    pub pixels: &'d [u8],
    /// Rows of an image.
    pub rows: usize,
    /// Columns of an image.
    pub cols: usize,
}

/// How an evaluation runs.
#[derive(Clone, Copy)]
pub struct EvaluateOptions<'o> {
    /// Threads; each has a session of its own. `None` takes as many as the machine runs at once.
    pub threads: Option<NonZeroUsize>,
    /// Is told from time to time how many images are done, from any thread.
    pub progress: &'o (dyn Fn(usize) + Sync),
    /// Stops the evaluation when it becomes true.
    pub stop: &'o AtomicBool,
}

impl Default for EvaluateOptions<'_> {
    fn default() -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        EvaluateOptions {
            threads: None,
            progress: &|_| {},
            stop: &NEVER,
        }
    }
}

/// What an evaluation found. It does not depend on the number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Images evaluated.
    pub images: usize,
    /// Images whose highest score, the first of equal ones, is at their label.
    pub correct: usize,
    /// [`correct`](Self::correct) of [`images`](Self::images), as a fraction in 0..=1.
    pub accuracy: f64,
    /// Mean cross entropy of the dequantized output, taken as probabilities, in nats; clipped to 1e-7 as Keras does.
    pub loss: f64,
    /// Outputs of one image: classes.
    pub classes: usize,
    /// The raw bytes of the outputs, image after image: `[N, classes]` of the model's output type. For a quantized model
    /// these are what a chip must give, byte for byte.
    pub scores: Vec<u8>,
}

impl Evaluation {
    /// The raw output bytes of image `index`; none beyond the last.
    #[must_use]
    pub fn scores_of(&self, index: usize) -> &[u8] {
        let width = self.scores.len() / self.images.max(1);
        self.scores
            .get(index * width..(index + 1) * width)
            .unwrap_or_default()
    }
}

/// What one image adds.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    correct: bool,
    loss: f64,
}

/// Runs the model on every image and compares with the labels. The model has one input of one image's size and one output
/// with a score per class.
///
/// # Errors
///
/// [`LiteError::ImageCount`] or [`LiteError::NoImages`] when the data set is not whole; [`LiteError::ImageShape`],
/// [`LiteError::NotForImages`], [`LiteError::NotOneToOne`] or [`LiteError::Label`] when it is not one for this model;
/// [`LiteError::Prepare`] and [`LiteError::Invoke`] from the runtime; [`LiteError::Stopped`] when told to stop.
pub fn evaluate(
    model: &MappedModel,
    images: Images<'_>,
    labels: &[u8],
    options: &EvaluateOptions<'_>,
) -> Result<Evaluation, LiteError> {
    let Shape { width, classes } = fits(model, images, labels)?;
    let mut scores = vec![0; labels.len() * width];
    let mut outcomes = vec![Outcome::default(); labels.len()];
    let work = Work {
        model,
        images,
        labels,
        chunks: Mutex::new(Chunks {
            next: 0,
            scores: scores.chunks_mut(CHUNK * width),
            outcomes: outcomes.chunks_mut(CHUNK),
        }),
        done: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        options,
    };
    let available = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = options.threads.unwrap_or_else(available).get();
    let threads = threads.min(labels.len().div_ceil(CHUNK));
    thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(|| work.run())).collect();
        let mut result = work.run();
        for worker in workers {
            match worker.join() {
                Ok(other) => result = result.and(other),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })?;
    let done = work.done.load(Ordering::Relaxed);
    if done < labels.len() {
        return Err(LiteError::Stopped {
            done,
            images: labels.len(),
        });
    }
    // Added up in the order of the images: the same sum whatever thread did which.
    let loss: f64 = outcomes.iter().map(|outcome| outcome.loss).sum();
    let correct = outcomes.iter().filter(|outcome| outcome.correct).count();
    Ok(Evaluation {
        images: labels.len(),
        correct,
        accuracy: correct as f64 / labels.len() as f64,
        loss: loss / labels.len() as f64,
        classes,
        scores,
    })
}

/// The model's output: bytes and classes of one image.
struct Shape {
    width: usize,
    classes: usize,
}

fn fits(model: &MappedModel, images: Images<'_>, labels: &[u8]) -> Result<Shape, LiteError> {
    let Images { pixels, rows, cols } = images;
    let expected = labels.len().saturating_mul(rows).saturating_mul(cols);
    if pixels.len() != expected {
        return Err(LiteError::ImageCount {
            bytes: pixels.len(),
            labels: labels.len(),
            rows,
            cols,
            expected,
        });
    }
    if labels.is_empty() || pixels.is_empty() {
        return Err(LiteError::NoImages);
    }
    let mut arena = model.arena()?;
    let session = model.session(&mut arena)?;
    session.image_encoder()?;
    let input = session.input_tensor(0)?;
    if input.elements() != rows * cols {
        return Err(LiteError::ImageShape {
            model: model.name().to_owned(),
            shape: input.shape().iter().collect(),
            expected: input.elements(),
            rows,
            cols,
            given: rows * cols,
        });
    }
    let output = session.output_tensor(0)?;
    if Code::of(&output).is_none() {
        return Err(session.not_for_images("output", output));
    }
    let classes = output.elements();
    let beyond = labels
        .iter()
        .position(|label| usize::from(*label) >= classes);
    if let Some(image) = beyond {
        return Err(LiteError::Label {
            model: model.name().to_owned(),
            outputs: classes,
            image,
            label: labels[image],
        });
    }
    Ok(Shape {
        width: output.byte_len(),
        classes,
    })
}

/// What the threads share.
struct Work<'w> {
    model: &'w MappedModel,
    images: Images<'w>,
    labels: &'w [u8],
    chunks: Mutex<Chunks<'w>>,
    done: AtomicUsize,
    failed: AtomicBool,
    options: &'w EvaluateOptions<'w>,
}

/// The places for results that no thread has taken yet.
struct Chunks<'w> {
    next: usize,
    scores: ChunksMut<'w, u8>,
    outcomes: ChunksMut<'w, Outcome>,
}

/// The images from `first` on, and the places for their results.
struct Chunk<'w> {
    first: usize,
    scores: &'w mut [u8],
    outcomes: &'w mut [Outcome],
}

impl<'w> Work<'w> {
    fn take(&self) -> Option<Chunk<'w>> {
        // A thread that panicked while it held the lock is resumed by the scope; the chunks themselves are whole.
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        let first = chunks.next;
        let outcomes = chunks.outcomes.next()?;
        let scores = chunks.scores.next()?;
        chunks.next += outcomes.len();
        Some(Chunk {
            first,
            scores,
            outcomes,
        })
    }

    /// What one thread does: take chunks until there is none.
    fn run(&self) -> Result<(), LiteError> {
        let result = self
            .model
            .arena()
            .and_then(|mut arena| self.run_in(&mut arena));
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        result
    }

    fn run_in(&self, arena: &mut Arena) -> Result<(), LiteError> {
        let mut session = self.model.session(arena)?;
        let encoder = session.image_encoder()?;
        let output = session.output_tensor(0)?;
        let code = Code::of(&output).ok_or_else(|| session.not_for_images("output", output))?;
        let stopped =
            || self.options.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed);
        while !stopped()
            && let Some(chunk) = self.take()
        {
            let images = chunk.outcomes.len();
            self.classify(&mut session, &encoder, code, chunk)?;
            let before = self.done.fetch_add(images, Ordering::Relaxed);
            (self.options.progress)(before + images);
        }
        Ok(())
    }

    fn classify(
        &self,
        session: &mut Session<'_>,
        encoder: &ImageEncoder,
        code: Code,
        chunk: Chunk<'_>,
    ) -> Result<(), LiteError> {
        let pixels = self.images.rows * self.images.cols;
        let width = chunk.scores.len() / chunk.outcomes.len();
        let inputs = self.images.pixels[chunk.first * pixels..].chunks_exact(pixels);
        let labels = &self.labels[chunk.first..];
        let places = chunk.scores.chunks_exact_mut(width).zip(chunk.outcomes);
        for ((image, label), (scores, outcome)) in inputs.zip(labels).zip(places) {
            scores.copy_from_slice(session.run_encoded(encoder, image)?);
            let probabilities = code.decode(scores);
            let label = usize::from(*label);
            *outcome = Outcome {
                correct: argmax(&probabilities) == Some(label),
                loss: cross_entropy(&probabilities, label),
            };
        }
        Ok(())
    }
}
