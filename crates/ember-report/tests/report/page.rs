//! The page and the plots as documents: well-formed, complete in themselves, and marked.

use crate::sample;

use ember_report::Report;

/// Every `<svg>` element of the page, as text.
fn drawings(page: &str) -> Vec<&str> {
    let mut rest = page;
    let mut found = Vec::new();
    while let Some(start) = rest.find("<svg") {
        let end = rest[start..].find("</svg>").expect("every <svg> ends") + start + "</svg>".len();
        found.push(&rest[start..end]);
        rest = &rest[end..];
    }
    found
}

fn texts(drawing: &str) -> String {
    let document = roxmltree::Document::parse(drawing).expect("the drawing is well-formed");
    document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
        .filter_map(|node| node.text())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_complete_run_has_three_well_formed_drawings() {
    let page = sample::complete().to_html().unwrap();
    let drawings = drawings(&page);
    assert_eq!(drawings.len(), 3);
    assert!(texts(drawings[0]).contains("int8"), "size and accuracy");
    assert!(texts(drawings[1]).contains("CONV_2D"), "operators");
    assert!(texts(drawings[1]).contains("2,320,000"), "operators");
    assert!(texts(drawings[2]).contains("validation"), "training curve");
}

#[test]
fn a_run_without_evaluation_or_device_has_no_drawing_of_them() {
    let page = sample::synthetic_without_device().to_html().unwrap();
    assert_eq!(drawings(&page).len(), 1);
}

#[test]
fn the_page_needs_no_other_file() {
    let page = sample::complete().to_html().unwrap();
    for reference in ["src=", "<link", "url(", "@import", "<script"] {
        assert!(
            !page.contains(reference),
            "the page refers to something by {reference}"
        );
    }
}

#[test]
fn names_cannot_become_markup() {
    let mut report = sample::complete();
    report.run = "<script>alert(1)</script>".to_owned();
    report.dataset = "a&b <i>|x".to_owned();
    report.device[0].emulator = Some("<b>|".to_owned());
    let page = report.to_html().unwrap();
    assert!(!page.contains("<script") && !page.contains("<i>") && !page.contains("<b>"));
    for drawing in drawings(&page) {
        texts(drawing);
    }
    let markdown = report.to_markdown().unwrap();
    let row = markdown
        .lines()
        .find(|line| line.contains("&lt;b>"))
        .unwrap();
    assert!(row.contains("&lt;b>\\|"), "{row}");
}

#[test]
fn every_table_and_drawing_of_drawn_digits_says_so() {
    let mut report = sample::complete();
    report.dataset = "synthetic".to_owned();
    let page = report.to_html().unwrap();
    let titles = page
        .lines()
        .filter(|line| line.starts_with("<h3>") || line.starts_with("<figcaption>"));
    assert!(titles.clone().count() > 10);
    for title in titles {
        assert!(title.contains("dataset: synthetic"), "{title}");
    }
    assert!(
        !page.contains("97.84"),
        "an accuracy on MNIST stands beside drawn digits"
    );
}

#[test]
fn figures_for_the_reference_model_do_not_stand_beside_another() {
    let mut report = sample::complete();
    report.model.as_mut().unwrap().name = "mlp".to_owned();
    let markdown = report.to_markdown().unwrap();
    assert!(
        !markdown.contains("25,992") && !markdown.contains("803,124"),
        "{markdown}"
    );
    assert!(markdown.contains("this run's model is mlp"));
}

#[test]
fn an_empty_report_shows_what_did_not_run() {
    let markdown = Report {
        dataset: "mnist".to_owned(),
        ..Report::default()
    }
    .to_markdown()
    .unwrap();
    for row in [
        "| Training framework | Burn (ember-train)",
        "| Host runtime       | ember-lite",
        "| Device runtime     | ember-micro",
    ] {
        let line = markdown
            .lines()
            .find(|line| line.starts_with(row))
            .unwrap_or_else(|| panic!("no row {row}"));
        assert_eq!(line.matches("not run").count(), 5, "{line}");
    }
}

#[test]
fn one_epoch_has_no_curve_and_equal_accuracies_have_a_plot() {
    let mut report = sample::complete();
    report.training.as_mut().unwrap().history.truncate(1);
    for variant in &mut report.variants {
        variant.test_accuracy = Some(1.0);
        variant.file_bytes = 30_000;
        variant.weight_bytes = 0;
    }
    report.dataset = "synthetic".to_owned();
    let page = report.to_html().unwrap();
    let drawings = drawings(&page);
    assert_eq!(drawings.len(), 2);
    assert!(texts(drawings[0]).contains("float32"));
}
