//! Operators whose result and gradient are computed here and not by Burn: they are most of a training's time.
//!
//! Burn's autodiff sees each as one operator ([`apply`]). On a backend whose tensors are not slices in memory there is none of
//! them, and the operators are made of Burn's own ([`crate::ops`]), which is also what the tests compare with.
//!
//! **Invariant:** images are shared among threads in groups of fixed size and sums are made in a fixed order, so the number of
//! threads changes no bit.

mod adam;
pub(crate) mod conv_2d;
mod convolution;
pub(crate) mod cross_entropy;
mod dense;
pub(crate) mod fully_connected;
pub(crate) mod round;
mod simd;

use std::fmt::Debug;

use rayon::prelude::*;

pub(crate) use adam::Step as AdamStep;
pub(crate) use flex::apply;
pub(crate) use simd::adam_update;

/// Less work than this, in products, is not shared: waking another thread costs as much.
const LITTLE: usize = 1 << 22;

/// What `work` makes of each task, in their order. One alone is not worth another thread.
fn in_parallel<T: Send, R: Send>(tasks: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    if tasks.len() > 1 {
        tasks.into_par_iter().map(work).collect()
    } else {
        tasks.into_iter().map(work).collect()
    }
}

/// An operator with its gradient. All tensors are row-major.
pub(crate) trait Kernel<const N: usize>: Clone + Debug + Send + Sync + 'static {
    /// What the gradient needs to know of the forward pass.
    type Saved: Debug + Send + Sync + 'static;

    /// The result, of shape [`Self::shape`], and what to keep of it.
    fn forward(&self, operands: [&[f32]; N]) -> (Vec<f32>, Self::Saved);

    /// The gradients of those operands that want one.
    fn backward(
        &self,
        operands: [&[f32]; N],
        saved: &Self::Saved,
        gradient: &[f32],
        wanted: [bool; N],
    ) -> [Option<Vec<f32>>; N];

    /// The shape of the result.
    fn shape(&self) -> [usize; 2];
}

mod flex {
    use std::marker::PhantomData;
    use std::sync::Arc;

    use burn::backend::autodiff::checkpoint::base::Checkpointer;
    use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
    use burn::backend::flex::FlexTensor;
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::{Tensor, TensorData};

    use super::Kernel;

    /// The result of the kernel as a tensor that knows its gradient; none where the backend is not ours to compute for.
    pub(crate) fn apply<K: Kernel<N>, const N: usize>(
        kernel: K,
        operands: [&Tensor<2>; N],
    ) -> Option<Tensor<2>> {
        let mut tracked = Vec::with_capacity(N);
        let mut plain = Vec::with_capacity(N);
        for operand in operands {
            match operand.clone().try_into_primitive::<Autodiff<Flex>>() {
                Ok(tensor) => tracked.push(tensor),
                Err(_) => plain.push(operand.clone().try_into_primitive::<Flex>().ok()?),
            }
        }
        if tracked.is_empty() {
            let operands: [FlexTensor; N] = plain.try_into().ok()?;
            let (result, _) = forward(&kernel, &operands)?;
            return Some(Tensor::from_primitive::<Flex>(result));
        }
        let (tensors, guards): (Vec<_>, Vec<_>) = tracked
            .into_iter()
            .map(|tensor| tensor.into_parts())
            .unzip();
        let operands: [FlexTensor; N] = tensors.try_into().ok()?;
        let (result, saved) = forward(&kernel, &operands)?;
        let gradient = Gradient(PhantomData::<K>);
        let prepared = gradient.prepare::<NoCheckpointing>(guards.try_into().ok()?);
        let result = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = State {
                    kernel,
                    operands,
                    saved: Arc::new(saved),
                };
                prepared.finish(state, result)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(result),
        };
        Some(Tensor::from_primitive::<Autodiff<Flex>>(result))
    }

    fn forward<K: Kernel<N>, const N: usize>(
        kernel: &K,
        operands: &[FlexTensor; N],
    ) -> Option<(FlexTensor, K::Saved)> {
        let contiguous = operands.each_ref().map(FlexTensor::to_contiguous);
        let (result, saved) = kernel.forward(slices(&contiguous)?);
        Some((tensor(result, kernel.shape()), saved))
    }

    fn slices<const N: usize>(operands: &[FlexTensor; N]) -> Option<[&[f32]; N]> {
        let slices: Option<Vec<&[f32]>> = operands.iter().map(FlexTensor::as_slice).collect();
        slices?.try_into().ok()
    }

    fn tensor(numbers: Vec<f32>, shape: [usize; 2]) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(numbers, shape))
    }

    #[derive(Debug)]
    struct Gradient<K>(PhantomData<K>);

    #[derive(Debug)]
    struct State<K: Kernel<N>, const N: usize> {
        kernel: K,
        operands: [FlexTensor; N],
        saved: Arc<K::Saved>,
    }

    impl<K: Kernel<N>, const N: usize> Clone for State<K, N> {
        fn clone(&self) -> Self {
            Self {
                kernel: self.kernel.clone(),
                operands: self.operands.clone(),
                saved: Arc::clone(&self.saved),
            }
        }
    }

    impl<K: Kernel<N>, const N: usize> Backward<Flex, N> for Gradient<K> {
        type State = State<K, N>;

        fn backward(
            self,
            ops: Ops<Self::State, N>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let state = ops.state;
            let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
            let operands = state.operands.each_ref().map(FlexTensor::to_contiguous);
            let wanted = ops.parents.each_ref().map(Option::is_some);
            // Both were slices in the forward pass.
            let (Some(slices), Some(gradient)) = (slices(&operands), gradient.as_slice()) else {
                return;
            };
            let results = state
                .kernel
                .backward(slices, &state.saved, gradient, wanted);
            for ((parent, result), operand) in ops.parents.iter().zip(results).zip(&operands) {
                if let (Some(parent), Some(result)) = (parent, result) {
                    let shape = operand.layout().shape().clone();
                    let result = FlexTensor::from_data(TensorData::new(result, shape));
                    gradients.register::<Flex>(parent.id, result);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
