//! The committed cases of single operators, made by `tools/op_goldens`.
//!
//! `golden/<op>.tsv` has one line per case, `golden/<op>.bin` their bytes one after another: the model, the inputs of
//! every record, the outputs of every record.

use crate::aligned::AlignedBytes;
use crate::case::{Case, CaseError, Port, Record, dtype_named, split_records};

macro_rules! operators {
    ($($name:literal),* $(,)?) => {
        /// The operators that have goldens, by the stem of their files, with index and bytes.
        const FILES: &[(&str, &str, &[u8])] = &[$((
            $name,
            include_str!(concat!("../golden/", $name, ".tsv")),
            include_bytes!(concat!("../golden/", $name, ".bin")),
        )),*];
    };
}

operators![
    "abs",
    "add",
    "add_n",
    "arg_max",
    "arg_min",
    "assign_variable",
    "average_pool_2d",
    "batch_matmul",
    "batch_to_space_nd",
    "broadcast_args",
    "broadcast_to",
    "call_once",
    "cast",
    "ceil",
    "circular_buffer",
    "concatenation",
    "conv_2d",
    "cos",
    "cumsum",
    "delay",
    "depth_to_space",
    "depthwise_conv_2d",
    "dequantize",
    "detection_post_process",
    "div",
    "dynamic_update_slice",
    "elu",
    "embedding_lookup",
    "energy",
    "equal",
    "exp",
    "expand_dims",
    "fft_auto_scale",
    "fill",
    "filter_bank",
    "filter_bank_log",
    "filter_bank_spectral_subtraction",
    "filter_bank_square_root",
    "floor",
    "floor_div",
    "floor_mod",
    "framer",
    "fully_connected",
    "gather",
    "gather_nd",
    "greater",
    "greater_equal",
    "hard_swish",
    "if",
    "irfft",
    "l2_normalization",
    "l2_pool_2d",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logistic",
    "max_pool_2d",
    "maximum",
    "mean",
    "minimum",
    "mirror_pad",
    "mul",
    "neg",
    "not_equal",
    "overlap_add",
    "pack",
    "pad",
    "padv2",
    "pcan",
    "prelu",
    "quantize",
    "read_variable",
    "reduce_all",
    "reduce_max",
    "reduce_min",
    "relu",
    "relu6",
    "reshape",
    "resize_bilinear",
    "resize_nearest_neighbor",
    "reverse_v2",
    "rfft",
    "round",
    "rsqrt",
    "select_v2",
    "shape",
    "sin",
    "slice",
    "softmax",
    "space_to_batch_nd",
    "space_to_depth",
    "split",
    "split_v",
    "sqrt",
    "square",
    "squared_difference",
    "squeeze",
    "stacker",
    "strided_slice",
    "sub",
    "sum",
    "svdf",
    "tanh",
    "transpose",
    "transpose_conv",
    "unidirectional_sequence_lstm",
    "unpack",
    "var_handle",
    "while",
    "window",
    "zeros_like",
];

/// The operators that have goldens.
pub fn operators() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(operator, ..)| *operator)
}

/// The cases of one operator, in the order of the index; none for an operator that [`operators`] does not list.
///
/// # Errors
/// When index and bytes do not fit together.
pub fn cases(operator: &str) -> Result<Vec<Case>, CaseError> {
    let Some((_, index, bytes)) = FILES.iter().find(|(name, ..)| *name == operator) else {
        return Ok(Vec::new());
    };
    let mut rest = *bytes;
    let mut cases = Vec::new();
    for line in index.lines().filter(|line| !line.starts_with('#')) {
        cases.push(read_case(operator, line, &mut rest)?);
    }
    if rest.is_empty() {
        return Ok(cases);
    }
    Err(CaseError::Length {
        place: format!("golden/{operator}.bin"),
        found: bytes.len(),
        expected: bytes.len() - rest.len(),
    })
}

fn read_case(operator: &str, line: &str, rest: &mut &[u8]) -> Result<Case, CaseError> {
    let place = format!("golden/{operator}.tsv");
    let columns: Vec<&str> = line.split('\t').collect();
    let &[name, _engine, model, records, inputs, outputs, _other] = columns.as_slice() else {
        return Err(CaseError::Description {
            place,
            found: line.to_owned(),
            expected: "a line of seven columns",
        });
    };
    let place = format!("{place}, {name}");
    let model_bytes = number(&place, model)?;
    let count = number(&place, records)?;
    let inputs = ports(&place, inputs)?;
    let outputs = ports(&place, outputs)?;
    let model = AlignedBytes::copy_of(take(&place, rest, model_bytes)?);
    let mut side = |ports: &[Port]| {
        let size = ports.iter().filter_map(Port::bytes).sum::<usize>() * count;
        split_records(&place, take(&place, rest, size)?, ports, count)
    };
    let (ins, outs) = (side(&inputs)?, side(&outputs)?);
    Ok(Case {
        name: format!("{operator}/{name}"),
        model,
        inputs,
        outputs,
        records: ins
            .into_iter()
            .zip(outs)
            .map(|(inputs, outputs)| Record { inputs, outputs })
            .collect(),
    })
}

fn take<'a>(place: &str, rest: &mut &'a [u8], size: usize) -> Result<&'a [u8], CaseError> {
    let Some((taken, after)) = rest.split_at_checked(size) else {
        return Err(CaseError::Length {
            place: place.to_owned(),
            found: rest.len(),
            expected: size,
        });
    };
    *rest = after;
    Ok(taken)
}

fn number(place: &str, text: &str) -> Result<usize, CaseError> {
    text.parse().map_err(|_| CaseError::Description {
        place: place.to_owned(),
        found: text.to_owned(),
        expected: "a number",
    })
}

/// Ports as the index writes them: `int8[1,5,5,2] int8[]`.
fn ports(place: &str, text: &str) -> Result<Vec<Port>, CaseError> {
    text.split(' ')
        .map(|port| {
            let wrong = || CaseError::Description {
                place: place.to_owned(),
                found: port.to_owned(),
                expected: "a type with dimensions in brackets",
            };
            let (dtype, dims) = port
                .strip_suffix(']')
                .and_then(|port| port.split_once('['))
                .ok_or_else(wrong)?;
            let shape = dims.split(',').filter(|dim| !dim.is_empty());
            Ok(Port {
                dtype: dtype_named(place, dtype)?,
                shape: shape
                    .map(|dim| dim.parse().map_err(|_| wrong()))
                    .collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{cases, operators};
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_in_the_folder_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(there, operators().map(str::to_owned).collect());
    }

    #[test]
    fn every_operator_has_cases_with_unique_names_and_records() {
        for operator in operators() {
            let cases = cases(operator).unwrap();
            let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
            assert_eq!(names.len(), cases.len(), "{operator}");
            assert!(cases.len() >= 5, "{operator} has {} cases", cases.len());
            for case in &cases {
                assert!(!case.records.is_empty(), "{}", case.name);
            }
        }
    }
}
