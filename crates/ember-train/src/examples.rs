//! Labelled images as the network takes them.

use burn::tensor::{Device, Tensor, TensorData};
use ember_data::Split;

use crate::TrainError;
use crate::network::Network;

/// Checks that the network can take these images. `dataset` and `model` are names for the error.
pub(crate) fn check(
    split: &Split,
    network: &Network,
    dataset: &str,
    model: &str,
) -> Result<(), TrainError> {
    let (pixels, classes) = (network.input_elements(), network.classes());
    let problem = if split.is_empty() {
        "it has no images".to_owned()
    } else if split.image_bytes() != pixels {
        format!(
            "its images are {}x{} pixels, and the model takes {pixels} numbers for each image",
            split.rows(),
            split.cols()
        )
    } else if let Some((at, label)) =
        (split.labels().iter().enumerate()).find(|(_, label)| usize::from(**label) >= classes)
    {
        format!("image {at} has label {label}, and the model knows {classes} classes, from 0")
    } else {
        return Ok(());
    };
    Err(TrainError::Data {
        dataset: dataset.to_owned(),
        model: model.to_owned(),
        problem,
    })
}

/// The images with these indices as `[N, pixels]`, in 0..=1.
pub(crate) fn images(split: &Split, indices: &[usize], device: &Device) -> Tensor<2> {
    let mut numbers = Vec::with_capacity(indices.len() * split.image_bytes());
    for &index in indices {
        let image = split.image(index).iter();
        numbers.extend(image.map(|&pixel| f32::from(pixel) / 255.0));
    }
    let shape = [indices.len(), split.image_bytes()];
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

/// The labels of the images with these indices.
pub(crate) fn labels(split: &Split, indices: &[usize]) -> Vec<u8> {
    let labels = split.labels();
    indices.iter().map(|&index| labels[index]).collect()
}
