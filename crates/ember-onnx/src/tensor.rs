//! Stored tensors: inside the file, or in a file beside it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path};

use ember_graph::shape;
use onnx_ir::TensorProto;

use crate::OnnxError;
use crate::constant::{Constant, Integer, Numbers};

/// Codes of `TensorProto.DataType` and their names, by code (`onnx.proto`).
const TYPES: &[&str] = &[
    "UNDEFINED",
    "FLOAT",
    "UINT8",
    "INT8",
    "UINT16",
    "INT16",
    "INT32",
    "INT64",
    "STRING",
    "BOOL",
    "FLOAT16",
    "DOUBLE",
    "UINT32",
    "UINT64",
    "COMPLEX64",
    "COMPLEX128",
    "BFLOAT16",
];

/// The code of FLOAT.
pub(crate) const FLOAT: i32 = 1;
/// The code of UINT8.
pub(crate) const UINT8: i32 = 2;
/// The code of INT8.
pub(crate) const INT8: i32 = 3;
/// The code of INT32.
pub(crate) const INT32: i32 = 6;
/// The code of INT64.
pub(crate) const INT64: i32 = 7;
const BOOL: i32 = 9;
const DOUBLE: i32 = 11;

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;

/// The name of a type, for errors.
pub(crate) fn type_name(code: i32) -> String {
    let index = usize::try_from(code).ok();
    match index.and_then(|index| TYPES.get(index)) {
        Some(name) => (*name).to_owned(),
        None => format!("the type with the code {code}"),
    }
}

/// The numbers of a stored tensor; `folder` is where files beside the model are looked for.
///
/// # Errors
/// When its type is not supported, its length is not that of its shape, or its file cannot be read.
pub(crate) fn constant(
    tensor: &TensorProto,
    name: &str,
    folder: Option<&Path>,
) -> Result<Constant, OnnxError> {
    let fault = |problem: String| OnnxError::Tensor {
        tensor: name.to_owned(),
        problem,
    };
    let dims: Option<Vec<usize>> = tensor
        .dims
        .iter()
        .map(|extent| usize::try_from(*extent).ok())
        .collect();
    // A scalar has no dimension, a list of axes can be empty: only what becomes part of the graph must have elements.
    let count = dims.as_ref().and_then(|dims| {
        if dims.contains(&0) {
            Some(0)
        } else {
            shape::elements(dims)
        }
    });
    let (Some(shape), Some(count)) = (dims, count) else {
        return Err(fault(format!(
            "the shape {:?} is negative or too large",
            tensor.dims
        )));
    };
    let raw = if tensor.data_location.value() == EXTERNAL {
        Some(external(tensor, folder).map_err(fault)?)
    } else if tensor.raw_data.is_empty() {
        None
    } else {
        Some(tensor.raw_data.to_vec())
    };
    let raw = raw.as_deref();
    let small = |kind| -> Numbers {
        let stored = tensor.int32_data.iter().map(|number| i64::from(*number));
        Numbers::Integer(kind, stored.collect())
    };
    let numbers = match tensor.data_type {
        FLOAT => Numbers::Real(match raw {
            Some(raw) => each(raw, f32::from_le_bytes),
            None => tensor.float_data.clone(),
        }),
        DOUBLE => Numbers::Real(match raw {
            Some(raw) => each(raw, |bytes| f64::from_le_bytes(bytes) as f32),
            None => tensor
                .double_data
                .iter()
                .map(|number| *number as f32)
                .collect(),
        }),
        INT8 => match raw {
            Some(raw) => {
                Numbers::Integer(Integer::Int8, each(raw, |b| i8::from_le_bytes(b).into()))
            }
            None => small(Integer::Int8),
        },
        UINT8 => match raw {
            Some(raw) => Numbers::Integer(Integer::Uint8, each(raw, |[b]| b.into())),
            None => small(Integer::Uint8),
        },
        BOOL => match raw {
            Some(raw) => Numbers::Integer(Integer::Bool, each(raw, |[b]| b.into())),
            None => small(Integer::Bool),
        },
        INT32 => match raw {
            Some(raw) => {
                Numbers::Integer(Integer::Int32, each(raw, |b| i32::from_le_bytes(b).into()))
            }
            None => small(Integer::Int32),
        },
        INT64 => Numbers::Integer(
            Integer::Int64,
            match raw {
                Some(raw) => each(raw, i64::from_le_bytes),
                None => tensor.int64_data.clone(),
            },
        ),
        other => {
            return Err(fault(format!(
                "is {}; supported are FLOAT, DOUBLE, INT8, UINT8, INT32, INT64 and BOOL",
                type_name(other)
            )));
        }
    };
    let got = match &numbers {
        Numbers::Real(numbers) => numbers.len(),
        Numbers::Integer(_, numbers) => numbers.len(),
        Numbers::Dequantized(numbers) => numbers.integers.len(),
    };
    if got != count {
        return Err(fault(format!(
            "holds {got} numbers, and its shape {shape:?} has {count}: was the file cut short?"
        )));
    }
    if let Numbers::Integer(Integer::Int8 | Integer::Uint8, numbers) = &numbers
        && let Some(strange) = numbers
            .iter()
            .find(|number| !(-128..=255).contains(*number))
    {
        return Err(fault(format!(
            "holds {strange}, which has more than 8 bits"
        )));
    }
    Ok(Constant { shape, numbers })
}

/// Little-endian numbers of `N` bytes each; what is left over at the end does not count.
fn each<const N: usize, T>(raw: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = raw.as_chunks::<N>();
    chunks.iter().map(|bytes| number(*bytes)).collect()
}

/// The bytes of a tensor that lies in a file beside the model.
fn external(tensor: &TensorProto, folder: Option<&Path>) -> Result<Vec<u8>, String> {
    let entry = |key: &str| {
        let mut entries = tensor.external_data.iter();
        Some(entries.find(|entry| entry.key == key)?.value.as_str())
    };
    let location = entry("location").ok_or("lies in another file, and does not say in which")?;
    let Some(folder) = folder else {
        return Err(format!(
            "lies in the file {location:?} beside the model, and the model was not read from a folder"
        ));
    };
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if location.is_empty() || !Path::new(location).components().all(inside) {
        return Err(format!(
            "lies in the file {location:?}: only files in the model's own folder are read"
        ));
    }
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("its {key} in {location:?} is {text:?}, no number")),
        },
    };
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    let path = folder.join(location);
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(length.unwrap_or(u64::MAX))
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| format!("its file {path:?} cannot be read: {error}"))?;
    match length {
        Some(length) if length != bytes.len() as u64 => Err(format!(
            "needs {length} bytes from {offset} of {path:?}, which has {} there",
            bytes.len()
        )),
        _ => Ok(bytes),
    }
}
