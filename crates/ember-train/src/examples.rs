//! Labelled images as the network takes them.

use burn::tensor::{Device, Tensor, TensorData};

use crate::TrainError;
use crate::network::Network;

/// Borrowed images and labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Examples<'a> {
    images: &'a [u8],
    labels: &'a [u8],
    pixels: usize,
}

impl<'a> Examples<'a> {
    /// Images of bytes 0..=255, one after another, row-major, and a label for each.
    ///
    /// # Errors
    /// When there are none, the counts differ, the images are not the network's input, or a label is not one of its
    /// classes. `name` and `model` are for the error.
    pub(crate) fn new(
        images: &'a [u8],
        labels: &'a [u8],
        network: &Network,
        name: &str,
        model: &str,
    ) -> Result<Self, TrainError> {
        let pixels = network.input_elements();
        let wrong = |problem: String| TrainError::Data {
            dataset: name.to_owned(),
            model: model.to_owned(),
            problem,
        };
        if labels.is_empty() {
            return Err(wrong("it has no images".to_owned()));
        }
        if images.len() != labels.len() * pixels {
            return Err(wrong(format!(
                "it has {} bytes for {} images, and the model takes {pixels} bytes for each",
                images.len(),
                labels.len()
            )));
        }
        let classes = network.classes();
        if let Some(at) = labels
            .iter()
            .position(|label| usize::from(*label) >= classes)
        {
            return Err(wrong(format!(
                "image {at} has label {}, and the model knows classes 0 to {}",
                labels[at],
                classes - 1
            )));
        }
        Ok(Self {
            images,
            labels,
            pixels,
        })
    }

    /// How many there are.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.labels.len()
    }

    /// The images with these indices as `[N, pixels]`, in 0..=1.
    pub(crate) fn tensor(&self, indices: &[u32], device: &Device) -> Tensor<2> {
        let mut numbers = Vec::with_capacity(indices.len() * self.pixels);
        for &index in indices {
            let first = index as usize * self.pixels;
            let image = &self.images[first..first + self.pixels];
            numbers.extend(image.iter().map(|&pixel| f32::from(pixel) / 255.0));
        }
        Tensor::from_data(
            TensorData::new(numbers, [indices.len(), self.pixels]),
            device,
        )
    }

    /// The labels of the images with these indices.
    pub(crate) fn labels(&self, indices: &[u32]) -> Vec<u8> {
        indices
            .iter()
            .map(|&index| self.labels[index as usize])
            .collect()
    }
}
