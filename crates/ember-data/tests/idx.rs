//! The IDX reader: what it reads, and what it says about files that are not sound.

use std::io::Write;
use std::path::Path;

use ember_data::DataError;
use ember_data::idx::{self, Images};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

const IMAGES: u32 = 0x803;
const LABELS: u32 = 0x801;

fn file(magic: u32, dims: &[u32], payload: &[u8]) -> Vec<u8> {
    let header = [magic].into_iter().chain(dims.iter().copied());
    let mut bytes: Vec<u8> = header.flat_map(u32::to_be_bytes).collect();
    bytes.extend_from_slice(payload);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn images(bytes: &[u8]) -> Result<Images, DataError> {
    idx::decode_images(Path::new("some/images"), bytes)
}

fn labels(bytes: &[u8]) -> Result<idx::Labels, DataError> {
    idx::decode_labels(Path::new("some/labels"), bytes, 10)
}

/// The one message for `bytes`; it must name the file and hold these words.
fn message<T: std::fmt::Debug>(result: Result<T, DataError>, words: &[&str]) {
    let message = result.unwrap_err().to_string();
    for word in words.iter().chain(&["some/"]) {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

/// Two images of 3×2 pixels.
fn two_images() -> Vec<u8> {
    file(IMAGES, &[2, 3, 2], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
}

#[test]
fn plain_and_gzip_are_told_by_their_bytes() {
    let plain = images(&two_images()).unwrap();
    assert_eq!((plain.count(), plain.rows, plain.cols), (2, 3, 2));
    assert_eq!(plain.pixels[5], 5);
    assert_eq!(images(&gzip(&two_images())).unwrap(), plain);
    let three = file(LABELS, &[3], &[7, 0, 9]);
    assert_eq!(labels(&three).unwrap().0, [7, 0, 9]);
    assert_eq!(labels(&gzip(&three)).unwrap().0, [7, 0, 9]);
}

#[test]
fn the_checksum_is_of_the_decoded_file() {
    // From sha256sum of the same bytes.
    let expected = "1aeec46cfbbb48f4de61478b0e035ba64d04562c03661882c25486481c0cbf70";
    let found = images(&gzip(&two_images())).unwrap().sha256();
    assert_eq!(found, expected);
}

#[test]
fn an_empty_file_is_named_as_such() {
    message(images(b""), &["nothing (it is empty)", "images"]);
    message(images(&gzip(b"")), &["nothing (it is empty)"]);
}

#[test]
fn another_format_is_named_by_its_first_bytes() {
    message(images(b"<html>404"), &["0x3c68746d", "expected 0x00000803"]);
    message(
        labels(b"PK"),
        &["the bytes [50, 4b]", "expected 0x00000801"],
    );
    // IDX, but of 32-bit floats.
    message(images(&file(0xd03, &[1, 1, 1], &[0; 4])), &["0x00000d03"]);
}

#[test]
fn swapped_files_are_called_swapped() {
    message(
        images(&file(LABELS, &[3], &[1, 2, 3])),
        &[
            "holds labels where images were expected",
            "swapped",
            "exchange",
        ],
    );
    message(
        labels(&two_images()),
        &["holds images where labels were expected", "swapped"],
    );
}

#[test]
fn every_truncation_is_an_error() {
    let whole = two_images();
    for length in 0..whole.len() {
        let error = images(&whole[..length]).unwrap_err();
        if length >= 16 {
            assert!(
                matches!(error, DataError::Truncated { expected: 28, found, .. } if found == length as u64),
                "{length}: {error}"
            );
        }
    }
    let whole = gzip(&whole);
    for length in 2..whole.len() {
        let error = images(&whole[..length]).unwrap_err();
        assert!(
            matches!(error, DataError::GzipEndsEarly { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_corrupted_gzip_is_called_corrupted() {
    let mut bytes = gzip(&two_images());
    let checksum = bytes.len() - 8;
    bytes[checksum] ^= 1;
    message(images(&bytes), &["corrupted gzip", "fetch it again"]);
    let mut bytes = gzip(&two_images());
    bytes[10] = 0xff; // A block type that deflate does not have.
    message(images(&bytes), &["corrupted gzip"]);
}

#[test]
fn trailing_bytes_are_an_error() {
    let mut bytes = two_images();
    bytes.push(0);
    message(images(&bytes), &["goes on after the 28 bytes"]);
    message(images(&gzip(&bytes)), &["goes on after the 28 bytes"]);
    let mut bytes = gzip(&two_images());
    bytes.push(0);
    assert!(images(&bytes).is_err(), "after the gzip");
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_taken() {
    let words = ["announces", "header is damaged"];
    for dims in [
        [0, 28, 28],
        [1, 0, 28],
        [1, 28, 0],
        [u32::MAX, u32::MAX, u32::MAX],
        [10_000_001, 1, 1],
        [1, 4097, 1],
        [1, 1, 4097],
        [10_000_000, 4096, 4096],
    ] {
        message(images(&file(IMAGES, &dims, &[])), &words);
    }
    message(labels(&file(LABELS, &[0], &[])), &words);
    message(labels(&file(LABELS, &[u32::MAX], &[])), &words);
    // The largest that is allowed, but not there: an error, at once.
    let error = images(&file(IMAGES, &[524_288, 64, 64], &[])).unwrap_err();
    assert!(matches!(error, DataError::Truncated { .. }), "{error}");
}

#[test]
fn a_label_out_of_range_is_named_with_its_place() {
    message(
        labels(&file(LABELS, &[3], &[9, 10, 3])),
        &["label 10 at index 1", "expected 0 to 9"],
    );
    let letters = file(LABELS, &[2], &[0, 25]);
    assert!(idx::decode_labels(Path::new(""), &letters[..], 26).is_ok());
    assert!(idx::decode_labels(Path::new(""), &letters[..], 25).is_err());
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let error = idx::read_images(Path::new("no/such/file")).unwrap_err();
    assert!(error.to_string().contains("no/such/file"));
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        (rows, cols, pixels) in (1_u32..6, 1_u32..6, 1_u32..6).prop_flat_map(|(count, rows, cols)| {
            let length = (count * rows * cols) as usize;
            (Just(rows), Just(cols), prop::collection::vec(any::<u8>(), length))
        }),
        compressed in any::<bool>(),
    ) {
        let count = pixels.len() as u32 / rows / cols;
        let bytes = file(IMAGES, &[count, rows, cols], &pixels);
        let bytes = if compressed { gzip(&bytes) } else { bytes };
        let read = images(&bytes).unwrap();
        prop_assert_eq!((read.rows, read.cols), (rows as usize, cols as usize));
        prop_assert_eq!(read.pixels, pixels);
    }

    /// Whatever is done to a file, the answer is an error or images that fit together; never a panic, never much memory.
    #[test]
    fn a_damaged_file_is_an_error_or_sound(
        compressed in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        for (whole, is_images) in [(two_images(), true), (file(LABELS, &[5], &[0, 1, 2, 3, 4]), false)] {
            let mut bytes = if compressed { gzip(&whole) } else { whole };
            for (at, value) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            if is_images {
                if let Ok(images) = images(&bytes) {
                    prop_assert_eq!(images.pixels.len(), images.count() * images.rows * images.cols);
                }
            } else if let Ok(labels) = labels(&bytes) {
                prop_assert!(labels.0.iter().all(|label| *label < 10));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_an_error_or_sound(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = images(&bytes);
        let _ = labels(&bytes);
        let _ = images(&gzip(&bytes));
        let _ = labels(&gzip(&bytes));
    }
}
