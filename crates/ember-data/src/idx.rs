//! Reads IDX files, the format of MNIST: a big-endian header (two zero bytes, the element type, the number of
//! dimensions, the dimensions), then the elements. Described on the MNIST page of Y. LeCun, C. Cortes and C. Burges.
//!
//! Plain or gzip is told by the first bytes, not by the name. A file is read with bounded memory: no more is decoded
//! than its header announces and the limits below allow.
//!
//! **Invariant:** whatever the bytes, the answer is a value or a [`DataError`], never a panic.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::DataError;

/// No file may announce more items.
pub const MAX_COUNT: u32 = 10_000_000;
/// No image may have more rows or columns.
pub const MAX_SIDE: u32 = 4096;
/// No file may announce more bytes of pixels.
pub const MAX_BYTES: u64 = 1 << 31;

/// Unsigned bytes in three dimensions.
const IMAGES_MAGIC: u32 = 0x0000_0803;
/// Unsigned bytes in one dimension.
const LABELS_MAGIC: u32 = 0x0000_0801;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An images file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// `[N, rows, cols]`, row by row, 0 is background.
    pub pixels: Vec<u8>,
    /// Pixels from top to bottom.
    pub rows: usize,
    /// Pixels from left to right.
    pub cols: usize,
}

impl Images {
    /// Number of images.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pixels.len() / (self.rows * self.cols)
    }

    /// SHA-256 of the file without gzip: header and pixels.
    #[must_use]
    pub fn sha256(&self) -> String {
        let dims = [self.count(), self.rows, self.cols].map(|dim| dim as u32);
        content_sha256(IMAGES_MAGIC, &dims, &self.pixels)
    }
}

/// A labels file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(pub Vec<u8>);

impl Labels {
    /// SHA-256 of the file without gzip: header and labels.
    #[must_use]
    pub fn sha256(&self) -> String {
        content_sha256(LABELS_MAGIC, &[self.0.len() as u32], &self.0)
    }
}

/// Reads a file of images.
pub fn read_images(path: &Path) -> Result<Images, DataError> {
    decode_images(path, open(path)?)
}

/// Reads a file of labels, each of which must be below `classes`.
pub fn read_labels(path: &Path, classes: usize) -> Result<Labels, DataError> {
    decode_labels(path, open(path)?, classes)
}

/// Reads images from `bytes`, plain or gzip; `path` names them in errors.
pub fn decode_images(path: &Path, bytes: impl BufRead) -> Result<Images, DataError> {
    let (dims, pixels) = decode(path, bytes, &Kind::IMAGES)?;
    Ok(Images {
        pixels,
        rows: dims[1] as usize,
        cols: dims[2] as usize,
    })
}

/// Reads labels from `bytes`, plain or gzip; `path` names them in errors.
pub fn decode_labels(
    path: &Path,
    bytes: impl BufRead,
    classes: usize,
) -> Result<Labels, DataError> {
    let (_, labels) = decode(path, bytes, &Kind::LABELS)?;
    match labels
        .iter()
        .position(|label| usize::from(*label) >= classes)
    {
        None => Ok(Labels(labels)),
        Some(index) => Err(DataError::LabelOutOfRange {
            path: path.to_owned(),
            label: labels[index],
            index,
            classes,
        }),
    }
}

struct Kind {
    name: &'static str,
    magic: u32,
    dims: usize,
    other: (&'static str, u32),
}

impl Kind {
    const IMAGES: Self = Self {
        name: "images",
        magic: IMAGES_MAGIC,
        dims: 3,
        other: ("labels", LABELS_MAGIC),
    };
    const LABELS: Self = Self {
        name: "labels",
        magic: LABELS_MAGIC,
        dims: 1,
        other: ("images", IMAGES_MAGIC),
    };
}

fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    let file = File::open(path).map_err(DataError::read(path))?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

fn decode(
    path: &Path,
    mut bytes: impl BufRead,
    kind: &Kind,
) -> Result<([u32; 3], Vec<u8>), DataError> {
    let start = bytes.fill_buf().map_err(DataError::read(path))?;
    if start.starts_with(&GZIP_MAGIC) {
        Decoding::of(path, true).run(&mut MultiGzDecoder::new(bytes), kind)
    } else {
        Decoding::of(path, false).run(&mut bytes, kind)
    }
}

/// One file on its way: the bytes decoded so far place an error.
struct Decoding<'a> {
    path: &'a Path,
    gzip: bool,
    decoded: u64,
}

impl<'a> Decoding<'a> {
    fn of(path: &'a Path, gzip: bool) -> Self {
        Self {
            path,
            gzip,
            decoded: 0,
        }
    }

    fn run(mut self, bytes: &mut impl Read, kind: &Kind) -> Result<([u32; 3], Vec<u8>), DataError> {
        let magic = self.magic(bytes, kind)?;
        if magic != kind.magic {
            return Err(self.wrong_magic(magic, kind));
        }
        let header_bytes = 4 + 4 * kind.dims as u64;
        let mut dims = [1_u32; 3];
        for dim in &mut dims[..kind.dims] {
            let word = self.up_to(bytes, 4)?;
            *dim = u32::from_be_bytes(word.try_into().map_err(|_| self.truncated(header_bytes))?);
        }
        let payload_bytes = self.payload_bytes(dims)?;
        let total_bytes = header_bytes + payload_bytes;
        let payload = self.up_to(bytes, payload_bytes)?;
        if (payload.len() as u64) < payload_bytes {
            return Err(self.truncated(total_bytes));
        }
        // Asking for one byte more also makes the gzip decoder check its checksum.
        if !self.up_to(bytes, 1)?.is_empty() {
            return Err(DataError::TrailingBytes {
                path: self.path.to_owned(),
                expected: total_bytes,
            });
        }
        Ok((dims, payload))
    }

    fn magic(&mut self, bytes: &mut impl Read, kind: &Kind) -> Result<u32, DataError> {
        let start = self.up_to(bytes, 4)?;
        let found = match start.len() {
            0 => "nothing (it is empty)".to_owned(),
            _ => format!("the bytes {start:02x?}"),
        };
        let word: [u8; 4] = start.try_into().map_err(|_| DataError::WrongMagic {
            path: self.path.to_owned(),
            expected: kind.name,
            magic: kind.magic,
            found,
        })?;
        Ok(u32::from_be_bytes(word))
    }

    fn wrong_magic(&self, magic: u32, kind: &Kind) -> DataError {
        if magic == kind.other.1 {
            return DataError::Swapped {
                path: self.path.to_owned(),
                expected: kind.name,
                found: kind.other.0,
            };
        }
        DataError::WrongMagic {
            path: self.path.to_owned(),
            expected: kind.name,
            magic: kind.magic,
            found: format!("{magic:#010x}"),
        }
    }

    fn payload_bytes(&self, dims: [u32; 3]) -> Result<u64, DataError> {
        let [count, rows, cols] = dims;
        let sane = (1..=MAX_COUNT).contains(&count)
            && (1..=MAX_SIDE).contains(&rows)
            && (1..=MAX_SIDE).contains(&cols);
        // With the limits above the product fits in 48 bits.
        let product = u64::from(count)
            .saturating_mul(u64::from(rows))
            .saturating_mul(u64::from(cols));
        if sane && product <= MAX_BYTES {
            Ok(product)
        } else {
            Err(DataError::AbsurdSize {
                path: self.path.to_owned(),
                count,
                rows,
                cols,
            })
        }
    }

    /// The next `count` bytes, or fewer where the data end. Memory grows with what is there, not with what is asked.
    fn up_to(&mut self, bytes: &mut impl Read, count: u64) -> Result<Vec<u8>, DataError> {
        let mut read = Vec::with_capacity(count.min(1 << 20) as usize);
        let result = bytes.take(count).read_to_end(&mut read);
        self.decoded += read.len() as u64;
        match result {
            Ok(_) => Ok(read),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, error: std::io::Error) -> DataError {
        let path = self.path.to_owned();
        match error.kind() {
            ErrorKind::UnexpectedEof if self.gzip => DataError::GzipEndsEarly {
                path,
                decoded: self.decoded,
            },
            ErrorKind::InvalidInput | ErrorKind::InvalidData if self.gzip => {
                DataError::CorruptGzip {
                    path,
                    reason: error.to_string(),
                }
            }
            _ => DataError::Read {
                path,
                source: error,
            },
        }
    }

    fn truncated(&self, expected: u64) -> DataError {
        DataError::Truncated {
            path: self.path.to_owned(),
            expected,
            found: self.decoded,
        }
    }
}

fn content_sha256(magic: u32, dims: &[u32], payload: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(magic.to_be_bytes());
    for dim in dims {
        hash.update(dim.to_be_bytes());
    }
    hash.update(payload);
    crate::hex(&hash.finalize())
}
