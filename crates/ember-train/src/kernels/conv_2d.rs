//! A convolution of many images, with the max-pool and the clamp behind it where there are any.

use std::sync::Arc;

pub(crate) use super::convolution::{Convolution, Pool};
use super::{Kernel, LITTLE, in_parallel, simd};

/// Images of one task, where there is more than one.
const GROUP: usize = 4;

/// Images `[N, H*W*C]` by filters `[1, F*KH*KW*C]` plus bias `[1, F]`.
#[derive(Clone, Debug)]
pub(crate) struct Conv2d {
    pub(crate) count: usize,
    pub(crate) convolution: Arc<Convolution>,
    pub(crate) pool: Option<Arc<Pool>>,
    /// Results are clamped to these. The gradient passes between them, not at them.
    pub(crate) clamp: Option<[f32; 2]>,
}

/// What a task needs beside its images.
struct Scratch {
    padded: Vec<f32>,
    result: Vec<f32>,
    pooled: Vec<f32>,
}

impl Conv2d {
    /// Elements of one image's result, its channels in whole blocks.
    fn wide_elements(&self) -> usize {
        let pooled = self.pool.as_ref().map(|pool| pool.result_elements());
        pooled.unwrap_or_else(|| self.convolution.result_elements())
    }

    /// Elements of one image's result.
    fn elements(&self) -> usize {
        self.wide_elements() / self.convolution.wide().max(1) * self.convolution.filters
    }

    /// Images of one task. It does not depend on the number of threads.
    fn task(&self) -> usize {
        let own = &*self.convolution;
        let products = self.count * own.output[0] * own.output[1] * own.depth() * own.filters;
        if products < LITTLE { self.count } else { GROUP }
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            // An image's gradient is written in whole blocks.
            padded: vec![0.0; self.convolution.padded_elements() + simd::LANES],
            result: vec![0.0; self.convolution.result_elements()],
            pooled: vec![0.0; self.wide_elements()],
        }
    }

    /// The result of one image, and the winners of its windows.
    fn image(
        &self,
        [image, filter, bias]: [&[f32]; 3],
        scratch: &mut Scratch,
        output: &mut [f32],
        winners: &mut [u32],
    ) {
        let own = &*self.convolution;
        own.pad(image, &mut scratch.padded);
        simd::image_forward(own, &scratch.padded, filter, bias, &mut scratch.result);
        let wide = match &self.pool {
            None => &scratch.result,
            Some(pool) => {
                simd::pool(pool, &scratch.result, &mut scratch.pooled, winners);
                &scratch.pooled
            }
        };
        let pixels = wide.chunks_exact(own.wide());
        for (from, to) in pixels.zip(output.chunks_exact_mut(own.filters)) {
            to.copy_from_slice(&from[..own.filters]);
        }
        if let Some([least, greatest]) = self.clamp {
            for number in output {
                *number = number.max(least).min(greatest);
            }
        }
    }

    /// The gradient of the convolution's result, in whole blocks, from that of an image's output.
    fn spread(&self, gradient: &[f32], output: &[f32], winners: &[u32], result: &mut [f32]) {
        let own = &*self.convolution;
        let (filters, wide) = (own.filters, own.wide());
        result.fill(0.0);
        let passes = |number: f32| match self.clamp {
            None => true,
            Some([least, greatest]) => least < number && number < greatest,
        };
        let pixels = gradient
            .chunks_exact(filters)
            .zip(output.chunks_exact(filters));
        for (pixel, (gradient, output)) in pixels.enumerate() {
            let own = gradient.iter().zip(output).enumerate();
            for (channel, (gradient, output)) in own {
                let at = pixel * wide + channel;
                let at = match &self.pool {
                    None => at,
                    Some(_) => winners[at] as usize,
                };
                result[at] += if passes(*output) { *gradient } else { 0.0 };
            }
        }
    }
}

/// What the gradient needs.
#[derive(Debug)]
pub(crate) struct Saved {
    output: Vec<f32>,
    /// `[N, windows, wide]`; nothing without a pool.
    winners: Vec<u32>,
}

impl Kernel<3> for Conv2d {
    type Saved = Saved;

    fn forward(&self, [images, filter, bias]: [&[f32]; 3]) -> (Vec<f32>, Saved) {
        let own = &*self.convolution;
        let filter = own.pack(filter);
        let mut bias = bias.to_vec();
        bias.resize(own.wide(), 0.0);
        let (elements, wide) = (self.elements(), self.wide_elements());
        let one_winners = self.pool.as_ref().map_or(0, |_| wide);
        let mut output = vec![0.0; self.count * elements];
        let mut winners = vec![0; self.count * one_winners];
        let task = self.task();
        let mut rest = (&mut output[..], &mut winners[..]);
        let mut tasks = Vec::new();
        for images in images.chunks(task * own.image_elements()) {
            let count = images.len() / own.image_elements();
            let (output, outputs) = rest.0.split_at_mut(count * elements);
            let (winners, more) = rest.1.split_at_mut(count * one_winners);
            rest = (outputs, more);
            tasks.push((images, output, winners));
        }
        in_parallel(tasks, |(images, output, winners)| {
            let mut scratch = self.scratch();
            let images = images.chunks_exact(own.image_elements());
            let outputs = output.chunks_exact_mut(elements);
            for (number, (image, output)) in images.zip(outputs).enumerate() {
                let winners = &mut winners[number * one_winners..][..one_winners];
                self.image([image, &filter, &bias], &mut scratch, output, winners);
            }
        });
        let saved = Saved {
            output: output.clone(),
            winners,
        };
        (output, saved)
    }

    fn backward(
        &self,
        [images, filter, _]: [&[f32]; 3],
        saved: &Saved,
        gradient: &[f32],
        wanted: [bool; 3],
    ) -> [Option<Vec<f32>>; 3] {
        let own = &*self.convolution;
        let (elements, image_elements) = (self.elements(), own.image_elements());
        let one_winners = saved.winners.len() / self.count.max(1);
        let by_tap = if wanted[0] {
            own.by_tap(filter)
        } else {
            Vec::new()
        };
        let weights = own.wide() * own.depth();
        let task = self.task();
        let starts: Vec<usize> = (0..self.count).step_by(task.max(1)).collect();
        let parts = in_parallel(starts, |start| {
            let mut scratch = self.scratch();
            let mut sums = [vec![0.0; weights], vec![0.0; own.wide()]];
            let mut of_images = Vec::new();
            for n in start..(start + task).min(self.count) {
                let range = n * elements..(n + 1) * elements;
                let winners = &saved.winners[n * one_winners..][..one_winners];
                let result = &mut scratch.result;
                self.spread(
                    &gradient[range.clone()],
                    &saved.output[range],
                    winners,
                    result,
                );
                if wanted[1] || wanted[2] {
                    let image = &images[n * image_elements..][..image_elements];
                    own.pad(image, &mut scratch.padded);
                    let [filter, bias] = &mut sums;
                    simd::filter_gradient(own, &scratch.padded, &scratch.result, filter, bias);
                }
                if wanted[0] {
                    let mut padded = vec![0.0; scratch.padded.len()];
                    simd::image_gradient(own, &scratch.result, &by_tap, &mut padded);
                    own.unpad(&padded, image_elements, &mut of_images);
                }
            }
            (sums, of_images)
        });
        let mut of_images = Vec::new();
        let mut total = [vec![0.0; weights], vec![0.0; own.wide()]];
        for (sums, images) in parts {
            of_images.extend(images);
            for (total, sum) in total.iter_mut().zip(sums) {
                for (total, own) in total.iter_mut().zip(sum) {
                    *total += own;
                }
            }
        }
        let [of_filter, mut of_bias] = total;
        of_bias.truncate(own.filters);
        [
            wanted[0].then_some(of_images),
            wanted[1].then(|| own.unpack(&of_filter)),
            wanted[2].then_some(of_bias),
        ]
    }

    fn shape(&self) -> [usize; 2] {
        [self.count, self.elements()]
    }
}
