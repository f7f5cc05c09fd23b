//! Files in, files out: a model run from the command line.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use ember_core::Dtype;
use ember_tflite::Tensor;
use image::imageops::FilterType;
use image::{DynamicImage, ImageReader};

use crate::scores::Code;
use crate::{ImageEncoder, LiteError, MappedModel, Session};

/// What the pixels of image files stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixels {
    /// The real number that pixel 0 stands for.
    pub black: f32,
    /// The real number that pixel 255 stands for.
    pub white: f32,
    /// Whether an image of another size is resized (with a triangle filter, aspect ratio not kept) instead of refused.
    pub resize: bool,
}

impl Default for Pixels {
    /// 0..=1, and images have to be of the input's size.
    fn default() -> Self {
        Self {
            black: 0.0,
            white: 1.0,
            resize: false,
        }
    }
}

/// What a run left in one output.
#[derive(Debug, Clone, PartialEq)]
pub struct FileOutput {
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its bytes, little-endian and row-major.
    pub bytes: Vec<u8>,
    /// The real numbers that its elements stand for; `None` of a type without such.
    pub reals: Option<Vec<f32>>,
}

/// Elements of an output that are shown.
const SHOWN: usize = 16;

impl fmt::Display for FileOutput {
    /// Type, shape, and the first real numbers, or the first bytes in hexadecimal where they stand for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}:", self.dtype, self.shape)?;
        let count = match &self.reals {
            Some(reals) => {
                for real in reals.iter().take(SHOWN) {
                    write!(f, " {real}")?;
                }
                reals.len()
            }
            None => {
                for byte in self.bytes.iter().take(SHOWN) {
                    write!(f, " {byte:02x}")?;
                }
                self.bytes.len()
            }
        };
        f.write_str(if count > SHOWN { " …" } else { "" })
    }
}

/// Runs a model once: one file per input, and one file per output or none at all.
///
/// A file that ends in `.png`, `.jpg`, `.jpeg`, `.pgm`, `.ppm` or `.pnm` is an image. It is taken in RGB where the input has three
/// channels and in grey (Rec. 709 luma) otherwise, transparency is ignored, and its pixels are quantized as the input is. Any
/// other file holds the input's bytes, little-endian and row-major. Outputs are written as such bytes, each file whole or not
/// at all.
///
/// # Errors
///
/// [`LiteError::FileCount`], [`LiteError::File`], [`LiteError::FileLength`], [`LiteError::Image`] for the files,
/// [`LiteError::NotForImages`] for an image where the input's type takes none, and what a run can say.
pub fn run_files(
    model: &MappedModel,
    inputs: &[PathBuf],
    outputs: &[PathBuf],
    pixels: Pixels,
) -> Result<Vec<FileOutput>, LiteError> {
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    let all = session.output_count();
    let counts = [
        ("input", session.input_count(), inputs.len()),
        ("output", all, outputs.len()),
    ];
    for (side, expected, given) in counts {
        if expected != given && !(side == "output" && given == 0) {
            return Err(LiteError::FileCount {
                model: model.name().to_owned(),
                side,
                expected,
                given,
            });
        }
    }
    for (index, path) in inputs.iter().enumerate() {
        fill(&mut session, index, path, pixels)?;
    }
    session.invoke()?;
    for (index, path) in outputs.iter().enumerate() {
        write(path, session.output(index)?).map_err(|source| unread(path, source))?;
    }
    let output = |index| {
        let tensor = session.output_tensor(index)?;
        let bytes = session.output(index)?;
        Ok(FileOutput {
            dtype: tensor.dtype(),
            shape: tensor.shape().iter().collect(),
            bytes: bytes.to_vec(),
            reals: Code::of(&tensor).map(|code| code.decode(bytes)),
        })
    };
    (0..all).map(output).collect()
}

fn unread(path: &Path, source: io::Error) -> LiteError {
    LiteError::File {
        path: path.to_owned(),
        source,
    }
}

/// Fills an input from a file.
fn fill(
    session: &mut Session<'_>,
    index: usize,
    path: &Path,
    pixels: Pixels,
) -> Result<(), LiteError> {
    let tensor = session.input_tensor(index)?;
    let bytes = if is_image(path) {
        let encoder = ImageEncoder::over(&tensor, pixels.black, pixels.white)
            .ok_or_else(|| session.not_for_images("input", tensor))?;
        let pixels = of_image(path, index, &tensor, pixels.resize)?;
        let mut encoded = vec![0; encoder.encoded_len(pixels.len())];
        encoder.encode(&pixels, &mut encoded);
        encoded
    } else {
        fs::read(path).map_err(|source| unread(path, source))?
    };
    let place = session.input(index)?;
    if place.len() != bytes.len() {
        return Err(LiteError::FileLength {
            path: path.to_owned(),
            index,
            dtype: tensor.dtype(),
            shape: tensor.shape().iter().collect(),
            expected: place.len(),
            given: bytes.len(),
        });
    }
    place.copy_from_slice(&bytes);
    Ok(())
}

fn is_image(path: &Path) -> bool {
    let ends = ["png", "jpg", "jpeg", "pgm", "ppm", "pnm"];
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ends.iter().any(|end| extension.eq_ignore_ascii_case(end)))
}

/// The pixels of an image file as the input takes them: `[rows, cols, channels]`, row-major.
fn of_image(
    path: &Path,
    index: usize,
    tensor: &Tensor<'_>,
    resize: bool,
) -> Result<Vec<u8>, LiteError> {
    let wrong = |what: String| LiteError::Image {
        path: path.to_owned(),
        what,
    };
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let mut image = reader
        .map_err(|source| unread(path, source))?
        .decode()
        .map_err(|error| wrong(error.to_string()))?;
    let shape: Vec<usize> = tensor.shape().iter().collect();
    let (rows, cols, channels) = match shape[..] {
        [_, rows, cols, channels @ (1 | 3)] | [rows, cols, channels @ (1 | 3)] => {
            (rows, cols, channels)
        }
        [_, rows, cols] => (rows, cols, 1),
        // A flat input does not say how it is an image: any image of so many pixels is one.
        _ => {
            let pixels = image.width() as usize * image.height() as usize;
            let channels = if pixels * 3 == tensor.elements() {
                3
            } else {
                1
            };
            if pixels * channels != tensor.elements() {
                return Err(wrong(format!(
                    "{} × {} pixels, but input {index} has the shape {shape:?}; give an image of as many",
                    image.height(),
                    image.width(),
                )));
            }
            return Ok(bytes_of(image, channels));
        }
    };
    let is = (image.height() as usize, image.width() as usize);
    if is != (rows, cols) {
        // An input too large for an image's 32 bits is no image's.
        let (Ok(width), Ok(height), true) = (u32::try_from(cols), u32::try_from(rows), resize)
        else {
            return Err(wrong(format!(
                "{} × {} pixels, but input {index} takes {rows} × {cols}; resize it",
                is.0, is.1
            )));
        };
        image = image.resize_exact(width, height, FilterType::Triangle);
    }
    Ok(bytes_of(image, channels))
}

fn bytes_of(image: DynamicImage, channels: usize) -> Vec<u8> {
    match channels {
        3 => image.into_rgb8().into_raw(),
        _ => image.into_luma8().into_raw(),
    }
}

/// Writes beside the place, then renames.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)
}
