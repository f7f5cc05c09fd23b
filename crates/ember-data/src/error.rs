//! Everything that can be wrong with data, each with where it is, what was expected and what to do.

use std::path::PathBuf;

/// Why a data set could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The name given is no known data set and no path.
    #[error(
        "unknown data set `{name}`{}; expected one of {expected}, or the path of a folder with IDX files",
        suggestion.map(|s| format!(" (did you mean `{s}`?)")).unwrap_or_default()
    )]
    UnknownSource {
        /// What was given.
        name: String,
        /// The known name that is nearest to it, where one is near.
        suggestion: Option<&'static str>,
        /// The known names.
        expected: String,
    },

    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}; check that it exists and that you may read it", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },

    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}; check the free space and that you may write there", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },

    /// The path of a data set is a file.
    #[error("{} is not a folder; give the folder that holds the four IDX files", path.display())]
    NotAFolder {
        /// The path given.
        path: PathBuf,
    },

    /// One of the four files is not there.
    #[error(
        "{} has no file for the {role}: expected {expected}, plain or gzip; found {found}",
        folder.display()
    )]
    MissingFile {
        /// The folder searched.
        folder: PathBuf,
        /// `training images`, ….
        role: &'static str,
        /// The names that would do.
        expected: &'static str,
        /// The files that are there.
        found: String,
    },

    /// More than one data set lies in a folder.
    #[error(
        "{} has several files for the {role}: {found}; keep one data set per folder",
        folder.display()
    )]
    AmbiguousFile {
        /// The folder searched.
        folder: PathBuf,
        /// `training images`, ….
        role: &'static str,
        /// The files that fit.
        found: String,
    },

    /// A gzip file ends before its end marker.
    #[error(
        "{} is a gzip file that ends early, after {decoded} decoded bytes; it was not copied or downloaded completely: \
         fetch it again",
        path.display()
    )]
    GzipEndsEarly {
        /// The file.
        path: PathBuf,
        /// Bytes that could be decoded.
        decoded: u64,
    },

    /// A gzip file's content does not decode or does not fit its checksum.
    #[error("{} is a corrupted gzip file ({reason}); fetch it again", path.display())]
    CorruptGzip {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },

    /// A file is neither gzip nor IDX.
    #[error(
        "{} is not an IDX file of {expected}: it begins with {found}, expected {magic:#010x}, plain or inside gzip; \
         check that it is the right file",
        path.display()
    )]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// `images` or `labels`.
        expected: &'static str,
        /// The magic number of such a file.
        magic: u32,
        /// What the file begins with.
        found: String,
    },

    /// An images file where the labels should be, or the reverse.
    #[error(
        "{} holds {found} where {expected} were expected; the images and labels files are swapped: exchange their names",
        path.display()
    )]
    Swapped {
        /// The file.
        path: PathBuf,
        /// `images` or `labels`.
        expected: &'static str,
        /// The other one.
        found: &'static str,
    },

    /// An IDX file ends before what its header announces.
    #[error(
        "{} ends early: its header announces {expected} bytes, it has {found}; fetch it again",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes after decoding, header included.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },

    /// An IDX file goes on after what its header announces.
    #[error(
        "{} goes on after the {expected} bytes that its header announces; it is damaged or two files in one: fetch it \
         again",
        path.display()
    )]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Bytes after decoding, header included.
        expected: u64,
    },

    /// The header announces nothing, or more than any data set has.
    #[error(
        "{} announces {count} items of {rows}x{cols} pixels; expected 1 to {} items of 1x1 to {}x{} pixels, at most {} \
         bytes in all: its header is damaged",
        path.display(), crate::idx::MAX_COUNT, crate::idx::MAX_SIDE, crate::idx::MAX_SIDE, crate::idx::MAX_BYTES
    )]
    AbsurdSize {
        /// The file.
        path: PathBuf,
        /// Items.
        count: u32,
        /// Pixels from top to bottom (1 for labels).
        rows: u32,
        /// Pixels from left to right (1 for labels).
        cols: u32,
    },

    /// A label is no class.
    #[error(
        "{} has the label {label} at index {index}; expected 0 to {}: it is damaged, or a set with more classes",
        path.display(), classes - 1
    )]
    LabelOutOfRange {
        /// The file.
        path: PathBuf,
        /// The label.
        label: u8,
        /// Which one, from 0.
        index: usize,
        /// How many classes there are.
        classes: usize,
    },

    /// Images and labels are not of one set.
    #[error(
        "{} has {images} images but {} has {labels} labels; the files are not of one set",
        images_path.display(), labels_path.display()
    )]
    CountMismatch {
        /// The images.
        images_path: PathBuf,
        /// The labels.
        labels_path: PathBuf,
        /// Images.
        images: usize,
        /// Labels.
        labels: usize,
    },

    /// Training and test images are of different sizes.
    #[error(
        "{} has training images of {}x{} pixels but test images of {}x{}; the files are not of one set",
        folder.display(), train.0, train.1, test.0, test.1
    )]
    SizeMismatch {
        /// The folder.
        folder: PathBuf,
        /// Rows and columns of the training images.
        train: (usize, usize),
        /// Rows and columns of the test images.
        test: (usize, usize),
    },

    /// A file of a known data set has other content than it should.
    #[error(
        "{} is a sound IDX file but not the one of {dataset}: SHA-256 {found}, expected {expected}; delete it to have it \
         downloaded, or give its folder as the data set to use it as it is",
        path.display()
    )]
    WrongChecksum {
        /// The file.
        path: PathBuf,
        /// The data set's name.
        dataset: String,
        /// SHA-256 of the content found, decoded.
        found: String,
        /// SHA-256 of the content expected, decoded.
        expected: String,
    },

    /// A manifest in `datasets/` is not understood.
    #[error("the manifest {manifest} is not understood: {reason}")]
    Manifest {
        /// Its name.
        manifest: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// No mirror had the file.
    #[error(
        "cannot download {file}: {}; check the network, or put the four files into {} or set EMBER_DATA_DIR to the \
         folder that has them",
        attempts.join("; "), folder.display()
    )]
    Download {
        /// The file.
        file: String,
        /// Where it would have been stored.
        folder: PathBuf,
        /// What each mirror answered.
        attempts: Vec<String>,
    },
}

impl DataError {
    pub(crate) fn read(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    pub(crate) fn write(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}
