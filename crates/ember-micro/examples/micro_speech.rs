//! From sound to a word, as TFLM's example micro_speech does it: one model turns frames of 30 ms into features, another one tells
//! words by 49 of them. `docs/audio.md` says where the models are.
//!
//!     cargo run --release -p ember-micro --example micro_speech -- \
//!         audio_preprocessor_int8.tflite micro_speech_quantized.tflite [yes_1000ms.wav]
//!
//! Without a file of mono audio, 16 bits at 16 kHz, it hears a tone that rises.

use std::error::Error;

use ember_micro::{ARENA_ALIGNMENT, Interpreter, Model, arena_bytes_needed, registry};

/// Samples of a frame, and from one frame's start to the next one's: 30 and 20 ms at 16 kHz.
const FRAME: usize = 480;
const STEP: usize = 320;

/// Features of a frame, and frames that the second model hears.
const FEATURES: usize = 40;
const FRAMES: usize = 49;

const WORDS: [&str; 4] = ["silence", "unknown", "yes", "no"];

/// A file's bytes where the interpreter can read them in place.
struct Aligned {
    memory: Vec<u8>,
    start: usize,
}

impl Aligned {
    fn zeros(bytes: usize) -> Self {
        let memory = vec![0; bytes + ARENA_ALIGNMENT];
        let start = memory.as_ptr().align_offset(ARENA_ALIGNMENT);
        Self { memory, start }
    }

    fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        let mut file = Self::zeros(bytes.len());
        file.bytes()[..bytes.len()].copy_from_slice(&bytes);
        file.memory.truncate(file.start + bytes.len());
        Ok(file)
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..]
    }
}

/// A second of a tone that rises from 200 Hz: a triangle in whole numbers, so that it is the same everywhere.
fn tone() -> Vec<i16> {
    let mut phase = 0u32;
    let mut sample = |index: u32| {
        phase = phase.wrapping_add((200 + index / 16) * 4);
        let place = (phase % 64_000) as i32;
        let triangle = if place < 32_000 {
            place
        } else {
            64_000 - place
        };
        (triangle - 16_000) as i16
    };
    (0..16_000).map(&mut sample).collect()
}

/// The samples of a WAV file: what is behind the head of 44 bytes.
fn wav(path: &str) -> Result<Vec<i16>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let samples = bytes
        .get(44..)
        .ok_or_else(|| format!("{path}: it is no WAV file"))?;
    let samples = samples
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    Ok(samples.collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (preprocessor, speech, audio) = match arguments.as_slice() {
        [preprocessor, speech] => (preprocessor, speech, tone()),
        [preprocessor, speech, audio] => (preprocessor, speech, wav(audio)?),
        _ => return Err("give the preprocessor, the model of words and maybe a WAV file".into()),
    };

    let mut file = Aligned::read(preprocessor)?;
    let model = Model::parse(file.bytes())?;
    let mut arena = Aligned::zeros(arena_bytes_needed(&model, registry::ALL)?);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes())?;
    // What no frame fills is what the models were made with: silence.
    let mut features = vec![-128i8; FRAMES * FEATURES];
    let frames = audio.windows(FRAME).step_by(STEP);
    for (frame, features) in frames.zip(features.chunks_exact_mut(FEATURES)) {
        let input = interpreter
            .input_as(0)
            .ok_or("the preprocessor has no input of int16")?;
        input.copy_from_slice(frame);
        interpreter.invoke()?;
        let output = interpreter
            .output_as(0)
            .ok_or("the preprocessor has no output of int8")?;
        features.copy_from_slice(output);
    }

    let mut file = Aligned::read(speech)?;
    let model = Model::parse(file.bytes())?;
    let mut arena = Aligned::zeros(arena_bytes_needed(&model, registry::ALL)?);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes())?;
    let input = interpreter
        .input_as(0)
        .ok_or("the model of words has no input of int8")?;
    input.copy_from_slice(&features);
    interpreter.invoke()?;
    let scores = interpreter
        .output_as::<i8>(0)
        .ok_or("it has no output of int8")?;
    let sum: i64 = (1..)
        .zip(&features)
        .map(|(place, value)| place * i64::from(*value))
        .sum();
    println!("features: {sum} (each times its place)");
    for (word, score) in WORDS.iter().zip(scores) {
        println!("{word}: {score}");
    }
    Ok(())
}
