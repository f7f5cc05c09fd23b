//! What a trained batch norm does to each channel: one factor and one summand.

/// Keras's default, against a division by 0.
pub const DEFAULT_EPSILON: f32 = 1e-3;

/// The parameters of a batch norm, each with one number per channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Factors after the normalization.
    pub gamma: &'a [f32],
    /// Summands after it.
    pub beta: &'a [f32],
    /// Means of the channels.
    pub mean: &'a [f32],
    /// Variances of the channels.
    pub variance: &'a [f32],
    /// Added to the variances.
    pub epsilon: f32,
}

impl BatchNorm<'_> {
    /// Factor and summand of each channel, `gamma / sqrt(variance + epsilon)` and `beta - mean * factor`, in f64 until
    /// the last rounding. The evaluator and the pass that folds batch norms away use these same numbers.
    #[must_use]
    pub fn affine(&self) -> (Vec<f32>, Vec<f32>) {
        let channels = self.gamma.iter().zip(self.beta);
        let statistics = self.mean.iter().zip(self.variance);
        channels
            .zip(statistics)
            .map(|((gamma, beta), (mean, variance))| {
                let deviation = (f64::from(*variance) + f64::from(self.epsilon)).sqrt();
                let factor = f64::from(*gamma) / deviation;
                let summand = f64::from(*beta) - f64::from(*mean) * factor;
                (factor as f32, summand as f32)
            })
            .unzip()
    }
}
