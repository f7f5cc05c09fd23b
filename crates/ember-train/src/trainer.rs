//! The training loop: epochs of shuffled batches, a validation after each, a stored state from which it goes on after any
//! interruption with the same bits.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use ember_compress::Range;
use ember_data::{Dataset, Split};
use ember_graph::Graph;

use crate::examples;
use crate::fake_quantize::FakeQuantization;
use crate::held::Held;
use crate::network::{self, Network, Statistics, numbers};
use crate::norms::Prepared;
use crate::optimizer::Optimizer;
use crate::random::Purpose;
use crate::score::{Score, cross_entropy, evaluate};
use crate::settings::Settings;
use crate::state::{Position, State};
use crate::{EpochRecord, TrainError};

/// How often the state is stored within an epoch.
const STORE_INTERVAL: Duration = Duration::from_secs(5);

/// Learns how the training goes.
pub trait Observer {
    /// Epoch `epoch` of `epochs` (from 1) begins, or is taken up again after `step` of its `steps`.
    fn epoch_started(&mut self, epoch: usize, epochs: usize, step: usize, steps: usize);
    /// `step` steps of the epoch are done; the score is over the epoch so far.
    fn step_done(&mut self, step: usize, score: &Score);
    /// The epoch is done and validated.
    fn epoch_done(&mut self, record: &EpochRecord);
}

/// Why [`Trainer::run`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done, or the limit of steps is reached.
    Finished,
    /// The stop flag was raised; the state is stored.
    Interrupted,
}

/// A training: network, optimizer, and how far it is.
pub struct Trainer {
    graph: Graph,
    settings: Settings,
    data: String,
    device: Device,
    network: Network,
    optimizer: Optimizer,
    quantization: Option<FakeQuantization>,
    held: Held,
    training: Split,
    validation: Split,
    /// The test images, where they are shown after each epoch, and when the process began.
    tested: Option<(Split, Instant)>,
    position: Position,
    /// The record of an epoch that a limit of steps cut short.
    cut_short: Option<EpochRecord>,
    state_path: Option<PathBuf>,
    last_stored: Instant,
    clock: Instant,
}

/// What is left of the moving averages of batch norms after step `step` (from 0): Keras's 0.99, and less at first, so that they
/// forget where they started (as `tf.train.ExponentialMovingAverage` does that knows the number of updates).
fn decay(step: u64) -> f32 {
    let step = step as f32;
    ((1.0 + step) / (10.0 + step)).min(0.99)
}

impl Trainer {
    /// A training that starts from the graph's constants, on the training images of `dataset`, of which some are held
    /// back for validation. The test images are not looked at.
    ///
    /// # Errors
    /// When a setting is outside its range, the graph cannot be trained, or the images do not
    /// fit it.
    pub fn new(graph: &Graph, dataset: &Dataset, settings: Settings) -> Result<Self, TrainError> {
        Self::prepared(&graph.clone().into(), dataset, settings)
    }

    /// The same of a graph that [`Compression::prepare`](crate::Compression::prepare) gave.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn prepared(
        prepared: &Prepared,
        dataset: &Dataset,
        settings: Settings,
    ) -> Result<Self, TrainError> {
        let Prepared { graph, norms } = prepared;
        let device = settings.backend.device();
        let training_device = device.clone().autodiff();
        let compression = &settings.compression;
        let quantization =
            (compression.qat).map(|bits| FakeQuantization::new(graph, bits, compression));
        let mut network = if quantization.is_some() {
            Network::in_order(graph, norms, &training_device)?
        } else {
            Network::new(graph, &training_device)?
        };
        examples::check(&dataset.train, &network, &dataset.name, &graph.name)?;
        settings.check(dataset.train.len())?;
        let mut held = Held::new(graph, compression);
        let mut weights = network.numbers();
        held.begin(compression, &mut weights)?;
        network.set_numbers(weights, &training_device);
        let (training, validation) = dataset.train.hold_out(settings.validation, settings.seed);
        Ok(Self {
            graph: graph.clone(),
            data: dataset.fingerprint.clone(),
            optimizer: Optimizer::new(network.numbers().len()),
            network,
            quantization,
            held,
            settings,
            device,
            training,
            validation,
            tested: None,
            position: Position::default(),
            cut_short: None,
            state_path: None,
            last_stored: Instant::now(),
            clock: Instant::now(),
        })
    }

    /// Stores the state in this file: now, after each epoch, every few seconds, and when the training is interrupted.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn store_in(&mut self, path: &Path) -> Result<(), TrainError> {
        self.state_path = Some(path.to_owned());
        self.store()
    }

    /// Tests with these images after each epoch, and records how long after `started` that was: to measure how soon a training
    /// is how good. Nothing is chosen by it.
    pub fn test_each_epoch(&mut self, split: Split, started: Instant) {
        self.tested = Some((split, started));
    }

    /// Goes on from the state in this file; `false` when there is none.
    ///
    /// # Errors
    /// When the file is damaged, or belongs to a training with other settings or images.
    pub fn resume_from(&mut self, path: &Path) -> Result<bool, TrainError> {
        let Some(state) = State::load(path)? else {
            return Ok(false);
        };
        let wrong = |problem: String| TrainError::State {
            path: path.to_owned(),
            problem,
        };
        let differences = self.settings.differences(&state.settings);
        if !differences.is_empty() {
            let list: Vec<String> = differences
                .iter()
                .map(|(setting, ours, theirs)| format!("{setting} is {ours} now and was {theirs}"))
                .collect();
            return Err(wrong(format!(
                "the training to resume had other settings: {}; give the same",
                list.join(", ")
            )));
        }
        if state.data != self.data {
            return Err(wrong(format!(
                "the training to resume had other images of the name \"{}\"",
                self.settings.dataset
            )));
        }
        let ours: Vec<usize> = self.network.numbers().iter().map(Vec::len).collect();
        let parameters = state.parameters.iter().map(Vec::len);
        let moments_fit = ours.iter().zip(&state.moments).all(|(ours, moments)| {
            let moments = moments.as_ref();
            moments.is_none_or(|moments| [moments.first.len(), moments.second.len()] == [*ours; 2])
        });
        let bonds_fit = ours.iter().zip(&state.bonds).all(|(ours, bonds)| {
            let mask = bonds.mask.as_ref().is_none_or(|mask| mask.len() == *ours);
            let groups = bonds.groups.as_ref();
            mask && groups.is_none_or(|groups| groups.len() == *ours)
        });
        let ranges = (state.ranges.iter())
            .map(|ends| ends.map(|[min, max]| Range { min, max }))
            .collect();
        let restored = self.held.restore(state.bonds)
            && (self.quantization.as_mut()).is_none_or(|own| own.restore(ranges));
        if !parameters.eq(ours.iter().copied()) || !moments_fit || !bonds_fit || !restored {
            return Err(wrong(format!(
                "the training to resume had another graph of the name \"{}\"",
                self.settings.model
            )));
        }
        if state.position.step > self.steps_per_epoch() {
            return Err(wrong("it claims more steps than an epoch has".to_owned()));
        }
        let device = self.device.clone().autodiff();
        self.network.set_numbers(state.parameters, &device);
        self.optimizer.restore(state.moments);
        self.position = state.position;
        Ok(true)
    }

    /// Trains until the end, or until `stop` is raised. The interrupted training goes on with another call, or in another
    /// process after [`Self::resume_from`], and gives the same bits as if it had never stopped.
    ///
    /// # Errors
    /// When the loss is no longer a number, or the state cannot be stored.
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        let steps = self.steps_per_epoch();
        self.clock = Instant::now();
        self.last_stored = Instant::now();
        self.cut_short = None;
        'training: while self.position.epoch < self.settings.epochs && !self.limit_reached() {
            let (epoch, epochs) = (self.position.epoch + 1, self.settings.epochs);
            observer.epoch_started(epoch, epochs, self.position.step, steps);
            let mut order: Vec<usize> = (0..self.training.len()).collect();
            Purpose::Order(self.position.epoch)
                .stream(self.settings.seed)
                .shuffle(&mut order);
            for batch in order.chunks(self.settings.batch).skip(self.position.step) {
                self.step(batch)?;
                observer.step_done(self.position.step, &self.position.score);
                if stop.load(Ordering::Relaxed) {
                    self.account();
                    self.store()?;
                    return Ok(Outcome::Interrupted);
                }
                if self.last_stored.elapsed() >= STORE_INTERVAL {
                    self.account();
                    self.store()?;
                }
                if self.limit_reached() && self.position.step < steps {
                    break 'training;
                }
            }
            let record = self.validate()?;
            observer.epoch_done(&record);
            self.position.history.push(record);
            self.position.epoch += 1;
            self.position.step = 0;
            self.position.score = Score::default();
            self.position.epoch_seconds = 0.0;
            self.store()?;
        }
        if self.position.step > 0 {
            // The limit fell within an epoch. The stored state stays within it, so that a later call with a greater limit
            // goes on as if there had been none.
            self.account();
            self.store()?;
            let record = self.validate()?;
            observer.epoch_done(&record);
            self.cut_short = Some(record);
        }
        Ok(Outcome::Finished)
    }

    /// Batches in an epoch; the last may be smaller.
    #[must_use]
    pub fn steps_per_epoch(&self) -> usize {
        self.training.len().div_ceil(self.settings.batch)
    }

    /// How many images are trained on, and how many are held back for validation.
    #[must_use]
    pub fn image_counts(&self) -> [usize; 2] {
        [self.training.len(), self.validation.len()]
    }

    /// The epochs so far, the last one perhaps cut short by the limit of steps.
    #[must_use]
    pub fn history(&self) -> Vec<EpochRecord> {
        let mut history = self.position.history.clone();
        history.extend(self.cut_short.clone());
        history
    }

    /// Optimizer steps so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.position.epoch as u64 * self.steps_per_epoch() as u64 + self.position.step as u64
    }

    /// The parameters as they are now.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Writes the trained numbers into the graph that the training began with; those of low precision as the integers have
    /// them.
    ///
    /// # Errors
    /// When it is another graph.
    pub fn store_trained(&self, graph: &mut Graph) -> Result<(), TrainError> {
        self.network.store(graph)?;
        if let Some(quantization) = &self.quantization {
            quantization.round_weights(graph)?;
        }
        Ok(())
    }

    /// The ranges that the activations were trained for, for each value of the graph; none without quantization.
    #[must_use]
    pub fn ranges(&self) -> Option<&[Option<Range>]> {
        self.quantization.as_ref().map(FakeQuantization::ranges)
    }

    /// How the network as it is now does on other images. `progress` learns the number of images done.
    ///
    /// # Errors
    /// When the images do not fit the graph; `dataset` is their name for that error.
    pub fn score(
        &self,
        split: &Split,
        dataset: &str,
        progress: impl FnMut(u64),
    ) -> Result<Score, TrainError> {
        examples::check(split, &self.network, dataset, &self.settings.model)?;
        self.evaluate(split, progress)
    }

    fn evaluate(&self, split: &Split, progress: impl FnMut(u64)) -> Result<Score, TrainError> {
        let Some(quantization) = &self.quantization else {
            let network = self.network.valid();
            let forward = |examples| network.forward(examples);
            return Ok(evaluate(forward, &self.device, split, progress));
        };
        let mut graph = self.graph.clone();
        self.network.store(&mut graph)?;
        quantization.round_constants(&mut graph)?;
        let network = Network::in_order(&graph, &[], &self.device)?;
        let apply = |value, tensor| quantization.apply(value, tensor);
        let forward = |examples| network.forward_mapped(examples, apply, Statistics::Kept);
        Ok(evaluate(forward, &self.device, split, progress))
    }

    fn limit_reached(&self) -> bool {
        self.settings
            .limit_steps
            .is_some_and(|limit| self.steps() >= limit)
    }

    fn step(&mut self, batch: &[usize]) -> Result<(), TrainError> {
        let device = self.device.clone().autodiff();
        let labels = examples::labels(&self.training, batch);
        let network = &self.network;
        if self.held.prune(self.steps(), || network.numbers())? {
            self.hold(&device);
        }
        let examples = examples::images(&self.training, batch, &device);
        let mut seen = Vec::new();
        let statistics = Statistics::Batch(&mut seen);
        let network = &self.network;
        let logits = match &mut self.quantization {
            None => network.forward_mapped(examples, |_, tensor| tensor, statistics),
            Some(quantization) => {
                let train = |value, tensor| quantization.train(value, tensor);
                network.forward_mapped(examples, train, statistics)
            }
        };
        let before = self.position.score.loss_sum;
        let numbers = numbers(logits.clone().inner());
        self.position.score.add(&numbers, &labels);
        let loss = self.position.score.loss_sum - before;
        if !loss.is_finite() {
            return Err(TrainError::Diverged {
                loss: loss / batch.len() as f64,
                step: self.position.step + 1,
                epoch: self.position.epoch + 1,
            });
        }
        let mut gradients = cross_entropy(logits, &labels).backward();
        let all_steps = self.settings.epochs as u64 * self.steps_per_epoch() as u64;
        let learning_rate = self.settings.learning_rate_at(self.steps(), all_steps);
        let held = &self.held;
        let share = |constant: usize, gradient: Tensor<1>| {
            if !held.is_bound(constant) {
                return gradient;
            }
            let mut shared = network::numbers(gradient.clone());
            held.share_gradient(constant, &mut shared);
            let count = shared.len();
            Tensor::from_data(TensorData::new(shared, [count]), &gradient.device())
        };
        self.optimizer
            .step(learning_rate, &mut self.network, &mut gradients, share);
        self.hold(&device);
        self.network.follow(&seen, decay(self.steps()), &device);
        self.position.step += 1;
        Ok(())
    }

    /// Makes bound weights what they are held to be.
    fn hold(&mut self, device: &Device) {
        let held = &self.held;
        self.network.map_parameters(|constant, parameter| {
            if !held.is_bound(constant) {
                return parameter;
            }
            let mut numbers = numbers(parameter.val());
            held.hold(constant, &mut numbers);
            network::parameter(numbers, device)
        });
    }

    /// The record of the epoch that has just ended.
    fn validate(&mut self) -> Result<EpochRecord, TrainError> {
        let score = self.evaluate(&self.validation, |_| ())?;
        self.account();
        let mut tested = None;
        if let Some((split, started)) = &self.tested {
            let test = self.evaluate(split, |_| ())?;
            tested = Some((test.accuracy(), started.elapsed().as_secs_f64()));
            self.clock = Instant::now();
        }
        let validated = score.images > 0;
        Ok(EpochRecord {
            epoch: self.position.epoch + 1,
            accuracy: self.position.score.accuracy(),
            loss: self.position.score.loss(),
            val_accuracy: validated.then(|| score.accuracy()),
            val_loss: validated.then(|| score.loss()),
            seconds: self.position.epoch_seconds,
            test_accuracy: tested.map(|(accuracy, _)| accuracy),
            tested_after_seconds: tested.map(|(_, seconds)| seconds),
        })
    }

    /// Adds the time since the last call to the epoch's.
    fn account(&mut self) {
        self.position.epoch_seconds += self.clock.elapsed().as_secs_f64();
        self.clock = Instant::now();
    }

    fn store(&mut self) -> Result<(), TrainError> {
        self.last_stored = Instant::now();
        let Some(path) = &self.state_path else {
            return Ok(());
        };
        let state = State {
            settings: self.settings.clone(),
            data: self.data.clone(),
            position: self.position.clone(),
            parameters: self.network.numbers(),
            moments: self.optimizer.moments(),
            bonds: self.held.bonds().to_vec(),
            ranges: self.quantization.as_ref().map_or_else(Vec::new, |own| {
                let ends = |range: &Option<Range>| range.map(|range| [range.min, range.max]);
                own.ranges().iter().map(ends).collect()
            }),
        };
        state.save(path)
    }
}
