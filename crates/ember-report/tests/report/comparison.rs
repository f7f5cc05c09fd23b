//! Variants beside each other: columns for each machine, marks for what was fine-tuned.

use crate::sample;

use ember_report::{DeviceRun, Report, SeedResult};

/// The sample, its int8 variant fine-tuned from three seeds.
fn fine_tuned() -> Report {
    let mut report = sample::complete();
    let int8 = &mut report.variants[1];
    int8.fine_tuned = true;
    int8.seeds = [(1, 0.97), (2, 0.98), (3, 0.9807)]
        .map(|(seed, test_accuracy)| SeedResult {
            seed,
            test_accuracy,
            test_loss: None,
        })
        .to_vec();
    report
}

#[test]
fn each_machine_has_its_columns() {
    let report = fine_tuned();
    let text = report.comparison("seed-cnn").to_markdown();
    let [title, _, headings, _, float, int8, ..] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert_eq!(title, "## seed-cnn (dataset: mnist)");
    for machine in ["cortex-m4", "riscv32imac"] {
        for figure in ["flash", "RAM", "instructions"] {
            assert!(
                headings.contains(&format!("{figure}, {machine}")),
                "{headings}"
            );
        }
    }
    let cells = |line: &str| -> Vec<String> {
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let (float, int8) = (cells(float), cells(int8));
    assert_eq!(float[1..4], ["float32", "as trained", "90,000"]);
    // float32 ran on no machine.
    assert_eq!(float[9..15], ["–"; 6]);
    assert_eq!(int8[1..4], ["int8", "fine-tuned, 3 seeds", "25,600"]);
    assert!(int8[6].ends_with(" % ± 0.60"), "{}", int8[6]);
    let instructions = [&int8[11], &int8[14]];
    assert_eq!(instructions, ["2,900,000", "3,300,000"]);
    let run = &report.device[0];
    let without_stack = DeviceRun {
        stack_bytes: None,
        ..run.clone()
    };
    assert!(run.ram_bytes().is_some() && without_stack.ram_bytes().is_none());
    assert!(
        text.contains("Fine-tuned variants were trained on"),
        "{text}"
    );
    let plain = sample::complete().comparison("seed-cnn").to_markdown();
    assert!(!plain.to_lowercase().contains("fine-tuned"), "{plain}");
}

#[test]
fn the_drawing_says_what_was_fine_tuned() {
    let legend = |report: &Report| {
        let page = report.to_html().unwrap();
        ["as trained", "fine-tuned", "reference figures †"].map(|text| page.contains(text))
    };
    assert_eq!(legend(&fine_tuned()), [true; 3]);
    let mut alone = sample::complete();
    alone.dataset = "fashion-mnist".to_owned();
    assert_eq!(legend(&alone), [false; 3]);
    // A triangle is a polygon, and the seeds are a line.
    let (before, after) = (
        sample::complete().to_html().unwrap(),
        fine_tuned().to_html().unwrap(),
    );
    for shape in ["<polygon", "<polyline"] {
        let count = |page: &str| page.matches(shape).count();
        assert!(count(&after) > count(&before), "{shape}");
    }
}

#[test]
fn a_report_without_the_mark_is_read_as_before() {
    let json = sample::complete().to_json().unwrap();
    assert!(!json.contains("fine_tuned"), "{json}");
    let marked = fine_tuned().to_json().unwrap();
    let read: Report = serde_json::from_str(&marked).unwrap();
    assert_eq!(read, fine_tuned());
    let mut wrong = fine_tuned();
    wrong.variants[1].seeds[2].test_accuracy = 1.5;
    let error = wrong.to_json().unwrap_err().to_string();
    assert!(
        error.contains("variants[1].seeds[2].test_accuracy"),
        "{error}"
    );
}
