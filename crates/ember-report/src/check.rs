//! What every figure of a report must obey, checked before it is shown or written: a table with a wrong figure in it is
//! worse than none.

use crate::{Report, ReportError, SeedResult};

impl Report {
    /// Checks the figures against each other and against what they can be.
    ///
    /// # Errors
    ///
    /// [`ReportError::Implausible`] naming the first field that breaks a rule: fractions lie in 0..=1, losses and times are
    /// finite and not negative, a firmware's flash is its code and its model, no more outputs differ than images ran, a
    /// file is not smaller than its weights.
    pub fn check(&self) -> Result<(), ReportError> {
        if let Some(training) = &self.training {
            fraction("training.test_accuracy", training.test_accuracy)?;
            duration("training.seconds", training.seconds)?;
            positive("training.learning_rate", training.learning_rate)?;
            optional(loss, "training.test_loss", training.test_loss)?;
            optional(
                duration,
                "training.process_seconds",
                training.process_seconds,
            )?;
            for (i, epoch) in training.history.iter().enumerate() {
                let field = |name: &str| format!("training.history[{i}].{name}");
                fraction(&field("accuracy"), epoch.accuracy)?;
                loss(&field("loss"), epoch.loss)?;
                duration(&field("seconds"), epoch.seconds)?;
                optional(fraction, &field("val_accuracy"), epoch.val_accuracy)?;
                optional(loss, &field("val_loss"), epoch.val_loss)?;
            }
            seeds("training", &training.seeds)?;
        }
        for (i, variant) in self.variants.iter().enumerate() {
            let field = |name: &str| format!("variants[{i}].{name}");
            optional(fraction, &field("test_accuracy"), variant.test_accuracy)?;
            optional(loss, &field("test_loss"), variant.test_loss)?;
            seeds(&format!("variants[{i}]"), &variant.seeds)?;
            if variant.weight_bytes > variant.file_bytes {
                return Err(implausible(
                    &field("weight_bytes"),
                    variant.weight_bytes,
                    "a file is not smaller than the weights in it",
                ));
            }
            if let Some(latency) = &variant.latency {
                for (name, time) in [
                    ("min_us", latency.min_us),
                    ("mean_us", latency.mean_us),
                    ("p50_us", latency.p50_us),
                    ("p90_us", latency.p90_us),
                    ("p99_us", latency.p99_us),
                ] {
                    duration(&field(&format!("latency.{name}")), time)?;
                }
            }
        }
        if let Some(development) = &self.development {
            for (name, time) in [
                ("firmware_build_seconds", development.firmware_build_seconds),
                ("pipeline_seconds", development.pipeline_seconds),
            ] {
                optional(duration, &format!("development.{name}"), time)?;
            }
        }
        for (i, run) in self.device.iter().enumerate() {
            let field = |name: &str| format!("device[{i}].{name}");
            fraction(&field("accuracy"), run.accuracy)?;
            optional(duration, &field("seconds"), run.seconds)?;
            if run.code_bytes.checked_add(run.model_bytes) != Some(run.flash_bytes) {
                return Err(implausible(
                    &field("flash_bytes"),
                    run.flash_bytes,
                    "flash is code_bytes + model_bytes",
                ));
            }
            if run.mismatches_with_host > run.images {
                return Err(implausible(
                    &field("mismatches_with_host"),
                    run.mismatches_with_host,
                    "no more outputs differ than images ran",
                ));
            }
        }
        Ok(())
    }
}

fn implausible(field: &str, value: impl ToString, rule: &'static str) -> ReportError {
    ReportError::Implausible {
        field: field.to_owned(),
        value: value.to_string(),
        rule,
    }
}

fn seeds(of: &str, seeds: &[SeedResult]) -> Result<(), ReportError> {
    for (i, seed) in seeds.iter().enumerate() {
        let field = |name: &str| format!("{of}.seeds[{i}].{name}");
        fraction(&field("test_accuracy"), seed.test_accuracy)?;
        optional(loss, &field("test_loss"), seed.test_loss)?;
    }
    Ok(())
}

type Rule = fn(&str, f64) -> Result<(), ReportError>;

fn optional(rule: Rule, field: &str, value: Option<f64>) -> Result<(), ReportError> {
    value.map_or(Ok(()), |value| rule(field, value))
}

fn fraction(field: &str, value: f64) -> Result<(), ReportError> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(implausible(
            field,
            value,
            "an accuracy is a fraction in 0..=1",
        ))
    }
}

fn loss(field: &str, value: f64) -> Result<(), ReportError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(implausible(
            field,
            value,
            "a loss is finite and not negative",
        ))
    }
}

fn duration(field: &str, value: f64) -> Result<(), ReportError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(implausible(
            field,
            value,
            "a time is finite and not negative",
        ))
    }
}

fn positive(field: &str, value: f64) -> Result<(), ReportError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(implausible(
            field,
            value,
            "a learning rate is finite and above zero",
        ))
    }
}
