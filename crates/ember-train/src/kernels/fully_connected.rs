//! A dense layer.

use super::{Kernel, LITTLE, in_parallel, simd};

/// Rows of the result that one task computes.
const GROUP: usize = 8;

/// `[N, inputs]` by weights `[1, outputs * inputs]` plus bias `[1, outputs]`.
#[derive(Clone, Debug)]
pub(crate) struct FullyConnected {
    pub(crate) count: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl FullyConnected {
    /// `work` on groups of rows of `output`, each with the number of its first row.
    fn in_groups(&self, output: &mut [f32], width: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
        if self.count * self.inputs * self.outputs < LITTLE {
            return work(0, output);
        }
        let groups = output.chunks_mut((GROUP * width).max(1)).enumerate();
        in_parallel(groups.collect(), |(number, rows)| {
            work(number * GROUP, rows)
        });
    }
}

impl Kernel<3> for FullyConnected {
    type Saved = ();

    fn forward(&self, [input, weights, bias]: [&[f32]; 3]) -> (Vec<f32>, ()) {
        let mut output = vec![0.0; self.count * self.outputs];
        self.in_groups(&mut output, self.outputs, |first, output| {
            let rows = output.len() / self.outputs;
            let rows = &input[first * self.inputs..(first + rows) * self.inputs];
            simd::products(rows, weights, bias, output);
        });
        (output, ())
    }

    fn backward(
        &self,
        [input, weights, _]: [&[f32]; 3],
        (): &(),
        gradient: &[f32],
        wanted: [bool; 3],
    ) -> [Option<Vec<f32>>; 3] {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let of_input = wanted[0].then(|| {
            let mut result = vec![0.0; self.count * inputs];
            self.in_groups(&mut result, inputs, |first, result| {
                let factors = &gradient[first * outputs..];
                simd::combine(factors, [outputs, 1], weights, result, inputs);
            });
            result
        });
        let of_weights = wanted[1].then(|| {
            let mut result = vec![0.0; outputs * inputs];
            self.in_groups(&mut result, inputs, |first, result| {
                let factors = &gradient[first..];
                simd::combine(factors, [1, outputs], input, result, inputs);
            });
            result
        });
        let of_bias = wanted[2].then(|| {
            let mut sums = vec![0.0; outputs];
            for row in gradient.chunks(outputs.max(1)) {
                for (sum, own) in sums.iter_mut().zip(row) {
                    *sum += own;
                }
            }
            sums
        });
        [of_input, of_weights, of_bias]
    }

    fn shape(&self) -> [usize; 2] {
        [self.count, self.outputs]
    }
}
