//! Tensors: shapes, constants, quantization.

use std::string::ToString;
use std::vec;
use std::vec::Vec;

use ember_core::Dtype;

use super::{parse_error, sample};
use crate::error::{ReadError, TensorFault};
use crate::model::Model;
use crate::write::{QuantizationSpec, TensorSpec, WriteError, write};

fn tensor_fault(change: impl FnOnce(&mut TensorSpec)) -> TensorFault {
    let mut spec = sample();
    change(&mut spec.tensors[2]);
    match write(&spec) {
        Err(WriteError::Rejected(ReadError::Tensor {
            subgraph: 0,
            tensor: 2,
            fault,
        })) => fault,
        other => panic!("{other:?}"),
    }
}

/// Replaces the one place where the four bytes `from` stand.
fn patch(bytes: &mut [u8], from: u32, to: u32) {
    let places: Vec<_> = (0..bytes.len() / 4)
        .filter(|word| bytes[4 * word..][..4] == from.to_le_bytes())
        .collect();
    assert_eq!(places.len(), 1, "{from:#x} is at {places:?}");
    bytes[4 * places[0]..][..4].copy_from_slice(&to.to_le_bytes());
}

#[test]
fn shapes() {
    let mut negative = write(&sample()).unwrap();
    patch(&mut negative, 12345, -5_i32 as u32);
    let error = parse_error(&negative);
    let fault = TensorFault::NegativeDimension {
        dimension: 0,
        found: -5,
    };
    assert_eq!(
        error,
        ReadError::Tensor {
            subgraph: 0,
            tensor: 2,
            fault
        }
    );
    assert_eq!(
        error.to_string(),
        "tensor 2 of subgraph 0: dimension 0 is -5, expected 0 or more; convert the model with static shapes"
    );
    let most = i32::MAX as usize;
    for shape in [vec![most, most, most, most, 2], vec![most, 2], vec![most]] {
        let fault = tensor_fault(|tensor| {
            tensor.shape = shape;
            tensor.data = None;
        });
        assert_eq!(fault, TensorFault::TooLarge);
    }
    // The bytes of packed elements fit, their number does not.
    let fault = tensor_fault(|tensor| {
        tensor.dtype = Dtype::Int4;
        tensor.shape = vec![1 << 16, 1 << 15];
        tensor.data = None;
    });
    assert_eq!(fault, TensorFault::TooLarge);
    let mut spec = sample();
    spec.tensors[1].shape = vec![1, most + 1];
    let error = write(&spec).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("tensor 1 (\"output\"): dimension 1"),
        "{error}"
    );
}

#[test]
fn constants() {
    let fault = tensor_fault(|tensor| tensor.data = Some(vec![1; 7]));
    let expected = TensorFault::DataLength {
        found: 7,
        expected: 4 * 12345,
    };
    assert_eq!(fault, expected);
    let mut spec = sample();
    spec.tensors[2].data = Some(vec![]);
    assert!(matches!(
        write(&spec),
        Err(WriteError::EmptyConstant { tensor: 2, .. })
    ));
}

#[test]
fn quantization() {
    let with = |scales: &[f32], zero_points: &[i64], dimension| {
        tensor_fault(|tensor| {
            tensor.quantization = Some(QuantizationSpec {
                scales: scales.into(),
                zero_points: zero_points.into(),
                quantized_dimension: dimension,
            });
        })
    };
    assert_eq!(
        with(&[1.0, 2.0], &[0, 0], 0),
        TensorFault::QuantizationLength {
            scales: 2,
            zero_points: 2
        }
    );
    assert_eq!(
        with(&[1.0], &[0, 0], 0),
        TensorFault::QuantizationLength {
            scales: 1,
            zero_points: 2
        }
    );
    for bad in [-1.0, f32::NAN, f32::INFINITY, -0.0] {
        assert_eq!(with(&[bad], &[0], 0), TensorFault::Scale { index: 0 });
    }
    assert_eq!(
        with(&[1.0], &[1 << 40], 0),
        TensorFault::ZeroPoint { index: 0 }
    );
}

#[test]
fn the_channels_of_a_dimension_beyond_the_shape_are_the_last() {
    let mut spec = sample();
    for dimension in [3, -1, i32::MIN] {
        spec.tensors[1].quantization =
            Some(QuantizationSpec::per_channel([1.0, 2.0, 3.0], dimension));
        write(&spec).unwrap();
        spec.tensors[1].quantization = Some(QuantizationSpec::per_channel([1.0, 2.0], dimension));
        write(&spec).unwrap_err();
    }
}

#[test]
fn constants_begin_at_multiples_of_16_and_equal_ones_are_one() {
    let mut spec = sample();
    for (index, len) in [1_usize, 5, 16, 17, 5].into_iter().enumerate() {
        let name = std::format!("c{index}");
        spec.push_tensor(TensorSpec::new(name, Dtype::Int8, [len]).with_data(vec![3; len]));
    }
    let bytes = write(&spec).unwrap();
    assert_eq!(bytes.len() % 16, 0);
    let model = Model::parse(&bytes).unwrap();
    for tensor in model
        .main()
        .tensors()
        .filter(|tensor| !tensor.data().is_empty())
    {
        let at = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(at % 16, 0, "{}", tensor.name());
    }
    // The empty one, the big one, and 1, 5, 16 and 17 bytes.
    assert_eq!(model.buffer_count(), 6);
}
