//! Files in, files out: a model run from the command line.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{LiteError, MappedModel, Session};

/// Runs a model once: one file per input, one file per output.
///
/// A file that ends in `.pgm` is a binary greyscale image (P5, at most 255), whose pixels stand for 0..=1; any other holds the
/// input's bytes, little-endian and row-major. Outputs are written as such bytes, each file whole or not at all.
///
/// # Errors
///
/// [`LiteError::FileCount`], [`LiteError::File`], [`LiteError::FileLength`], [`LiteError::Image`] for the files,
/// [`LiteError::NotOneToOne`] and [`LiteError::NotForImages`] for an image where the model takes none, and what a run can say.
pub fn run_files(
    model: &MappedModel,
    inputs: &[PathBuf],
    outputs: &[PathBuf],
) -> Result<(), LiteError> {
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    let counts = [
        ("input", session.input_count(), inputs.len()),
        ("output", session.output_count(), outputs.len()),
    ];
    for (side, expected, given) in counts {
        if expected != given {
            return Err(LiteError::FileCount {
                model: model.name().to_owned(),
                side,
                expected,
                given,
            });
        }
    }
    for (index, path) in inputs.iter().enumerate() {
        fill(&mut session, index, path)?;
    }
    session.invoke()?;
    for (index, path) in outputs.iter().enumerate() {
        write(path, session.output(index)?).map_err(|source| LiteError::File {
            path: path.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Fills an input from a file.
fn fill(session: &mut Session<'_>, index: usize, path: &Path) -> Result<(), LiteError> {
    let mut bytes = fs::read(path).map_err(|source| LiteError::File {
        path: path.to_owned(),
        source,
    })?;
    if path.extension().is_some_and(|extension| extension == "pgm") {
        let pixels = pixels(&bytes).map_err(|what| LiteError::Image {
            path: path.to_owned(),
            what,
        })?;
        let encoder = session.image_encoder()?;
        let mut encoded = vec![0; encoder.encoded_len(pixels.len())];
        encoder.encode(pixels, &mut encoded);
        bytes = encoded;
    }
    let tensor = session.input_tensor(index)?;
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

/// The pixels of a binary PGM file (<https://netpbm.sourceforge.net/doc/pgm.html>), or what is wrong with it.
fn pixels(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let mut rest = bytes
        .strip_prefix(b"P5")
        .ok_or("it does not begin with P5")?;
    let [mut width, mut height, mut greatest] = [0usize; 3];
    for number in [&mut width, &mut height, &mut greatest] {
        // Blanks, and comments up to the end of their line.
        loop {
            rest = rest.trim_ascii_start();
            let Some(comment) = rest.strip_prefix(b"#") else {
                break;
            };
            let end = comment.iter().position(|byte| *byte == b'\n');
            rest = end.map_or(&[], |end| &comment[end..]);
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (text, behind) = rest.split_at(digits);
        let text = str::from_utf8(text).unwrap_or_default();
        *number = text
            .parse()
            .map_err(|_| "its header lacks width, height or greatest value")?;
        rest = behind;
    }
    if !(1..=255).contains(&greatest) {
        return Err("its greatest value is not in 1..=255");
    }
    let [blank, pixels @ ..] = rest else {
        return Err("it ends after the header");
    };
    if !blank.is_ascii_whitespace() {
        return Err("no blank follows its header");
    }
    if width.checked_mul(height) != Some(pixels.len()) {
        return Err("its pixels are not width times height bytes");
    }
    Ok(pixels)
}

/// Writes beside the place, then renames.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::pixels;

    #[test]
    fn a_header_may_have_blanks_and_comments() {
        assert_eq!(pixels(b"P5 2 1 255\n\x00\xff"), Ok(&[0, 255][..]));
        assert_eq!(pixels(b"P5\n# by hand\n2\n#\n1 9\n12"), Ok(&b"12"[..]));
    }

    #[test]
    fn what_is_no_image_is_named() {
        for (bytes, part) in [
            (&b"P2 1 1 255\n0"[..], "P5"),
            (b"P5 2 1", "header"),
            (b"P5 2 x 255\n00", "header"),
            (b"P5 2 1 65535\n0000", "255"),
            (b"P5 2 1 255", "ends"),
            (b"P5 2 1 255\n0", "width times height"),
            (b"P5 99999999999 99999999999 255\n0", "width times height"),
        ] {
            let error = pixels(bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
