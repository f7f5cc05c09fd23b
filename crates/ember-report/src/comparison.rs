//! The variants of one model beside each other: what each costs in the file, on the host and on each chip, and what it is
//! worth.

use crate::{DeviceRun, Entry, Heading, Report, Sheet, Variant, number};

impl Report {
    /// One row per variant and three columns per machine that ran any of them: `title` says which model it is about.
    ///
    /// A variant with a [`fine_tuned`](Variant::fine_tuned) mark was trained on after it was compressed; where it has
    /// [`seeds`](Variant::seeds), its accuracy and loss are shown with how many trainings they are the mean of.
    #[must_use]
    pub fn comparison(&self, title: &str) -> Sheet {
        let mut machines: Vec<&str> = Vec::new();
        for run in &self.device {
            if !machines.contains(&run.target.as_str()) {
                machines.push(&run.target);
            }
        }
        let of_machine = |machine: &&str| {
            ["flash", "RAM", "instructions"].map(|figure| format!("{figure}, {machine}"))
        };
        let on_machines: Vec<String> = machines.iter().flat_map(of_machine).collect();
        let mut headings = vec![
            Heading::Words("variant"),
            Heading::Words("training"),
            Heading::Figures("file"),
            Heading::Figures("gzip"),
            Heading::Figures("weights"),
            Heading::Figures("accuracy"),
            Heading::Figures("loss"),
            Heading::Figures("host µs"),
        ];
        headings.extend(on_machines.iter().map(|heading| Heading::Figures(heading)));
        let mut sheet = Sheet::new(&format!("{title} (dataset: {})", self.dataset), &headings);
        for variant in &self.variants {
            let devices = machines.iter().flat_map(|machine| {
                let ran = |run: &&DeviceRun| run.target == *machine && run.variant == variant.name;
                on_machine(self.device.iter().find(ran))
            });
            sheet.row(on_host(variant).into_iter().chain(devices));
        }
        sheet.note(
            "Bytes. Weights are what the constants take on the chip; flash and RAM are the whole firmware's, with arena and \
             stack.",
        );
        if self.variants.iter().any(|variant| variant.fine_tuned) {
            sheet.note(
                "Fine-tuned variants were trained on after they were pruned, clustered or quantized; the others are the \
                 trained weights in another form.",
            );
        }
        sheet
    }
}

fn on_host(variant: &Variant) -> [Entry; 8] {
    let training = if variant.fine_tuned {
        "fine-tuned"
    } else {
        "as trained"
    };
    let training = match variant.seeds.len() {
        0 | 1 => training.to_owned(),
        seeds => format!("{training}, {seeds} seeds"),
    };
    let text = |figure: Option<String>| figure.map_or(Entry::None, Entry::Text);
    let latency = variant.latency.as_ref().map(|time| time.p50_us);
    [
        variant.name.as_str().into(),
        training.into(),
        Entry::Count(variant.file_bytes),
        Entry::count(variant.gzip_bytes),
        Entry::Count(variant.weight_bytes),
        accuracy(variant),
        text(variant.test_loss.map(number::loss)),
        text(latency.map(number::microseconds)),
    ]
}

/// With the standard deviation over the seeds, in points, where there are several.
fn accuracy(variant: &Variant) -> Entry {
    let (Some(mean), count @ 2..) = (variant.test_accuracy, variant.seeds.len()) else {
        return Entry::percent(variant.test_accuracy);
    };
    let squares = (variant.seeds.iter()).map(|seed| (seed.test_accuracy - mean).powi(2));
    let deviation = (squares.sum::<f64>() / (count - 1) as f64).sqrt();
    Entry::Text(format!("{:.2} % ± {:.2}", 100.0 * mean, 100.0 * deviation))
}

fn on_machine(run: Option<&DeviceRun>) -> [Entry; 3] {
    [
        Entry::count(run.map(|run| run.flash_bytes)),
        Entry::count(run.and_then(DeviceRun::ram_bytes)),
        Entry::count(run.and_then(|run| run.instructions_per_inference)),
    ]
}
