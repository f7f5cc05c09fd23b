//! Pruning as a user writes it: `0.8`, `0.8/4x1`, `2:4`.

use std::fmt;
use std::str::FromStr;

use super::Pruning;
use crate::CompressError;

impl fmt::Display for Pruning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unstructured { sparsity } => write!(f, "{sparsity}"),
            Self::Block {
                rows,
                columns,
                sparsity,
            } => write!(f, "{sparsity}/{rows}x{columns}"),
            Self::NOfM { keep, of } => write!(f, "{keep}:{of}"),
        }
    }
}

/// A share of weights (`0.8`), of blocks of rows x columns (`0.8/4x1`), or how many stay of how many (`2:4`).
impl FromStr for Pruning {
    type Err = CompressError;

    fn from_str(text: &str) -> Result<Self, CompressError> {
        let unreadable = || CompressError::PruningText {
            found: text.to_owned(),
        };
        let number = |text: &str| text.parse::<usize>().map_err(|_| unreadable());
        let pruning = if let Some((keep, of)) = text.split_once(':') {
            Self::NOfM {
                keep: number(keep)?,
                of: number(of)?,
            }
        } else {
            let (share, block) = match text.split_once('/') {
                Some((share, block)) => (share, Some(block)),
                None => (text, None),
            };
            let sparsity = share.parse().map_err(|_| unreadable())?;
            match block.map(|block| block.split_once('x')) {
                None => Self::Unstructured { sparsity },
                Some(Some((rows, columns))) => Self::Block {
                    rows: number(rows)?,
                    columns: number(columns)?,
                    sparsity,
                },
                Some(None) => return Err(unreadable()),
            }
        };
        pruning.check()?;
        Ok(pruning)
    }
}

#[cfg(test)]
mod tests {
    use super::Pruning;

    #[test]
    fn patterns_are_read_and_written() {
        let unstructured = Pruning::Unstructured { sparsity: 0.8 };
        let block = Pruning::Block {
            rows: 4,
            columns: 1,
            sparsity: 0.5,
        };
        for (text, pruning) in [
            ("0.8", unstructured),
            ("0.5/4x1", block),
            ("2:4", Pruning::TWO_OF_FOUR),
        ] {
            assert_eq!(text.parse::<Pruning>().unwrap(), pruning);
            assert_eq!(pruning.to_string(), text);
        }
        for wrong in [
            "", "1.5", "-0.1", "0.8/4", "0.8/0x1", "5:4", "1:0", "a:b", "NaN",
        ] {
            assert!(wrong.parse::<Pruning>().is_err(), "{wrong}");
        }
        let error = "much".parse::<Pruning>().unwrap_err().to_string();
        assert!(error.contains("0.8/4x1"), "{error}");
    }
}
