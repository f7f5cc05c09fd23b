//! Table (c) of the field: flash, RAM and their total for training framework, host runtime and device runtime.

use crate::{
    DeviceRun, Report, anchors,
    number::count,
    section::{self, Section},
    table::{Cell, Table, figures, figures_if_any, words},
};

pub(super) fn section(report: &Report) -> Section {
    let mut tables = vec![overview(report)];
    if !report.device.is_empty() {
        tables.push(devices(report));
    }
    Section {
        id: "memory",
        heading: "Flash and RAM",
        tables,
        plots: Vec::new(),
    }
}

fn overview(report: &Report) -> Table {
    let mut table = Table::new(
        "Flash, RAM and total",
        &report.dataset,
        vec![
            words("Stage"),
            words("Program"),
            figures("Code bytes"),
            figures("Model bytes"),
            figures("Code + model"),
            figures("RAM bytes"),
            figures("Total bytes"),
        ],
    );
    training_rows(report, &mut table);
    host_rows(report, &mut table);
    device_rows(report, &mut table);
    table.notes.push(
        "On a host, code is the executable file and RAM the process's highest resident memory; on a device, code is flash without the model and RAM is statics, arena and stack high-water.".to_owned(),
    );
    if section::has_references(report) {
        table
            .notes
            .push("TFLM's RAM is arena and stack; its statics were not counted.".to_owned());
    }
    table.notes.extend(section::missing_references(report));
    table
}

/// The five figures of a row; sums only where every part is known.
fn parts(
    code: Option<u64>,
    model: Option<u64>,
    ram: Option<u64>,
    cell: fn(Option<String>) -> Cell,
) -> [Cell; 5] {
    let stored = code.map(|code| code.saturating_add(model.unwrap_or(0)));
    let total = stored
        .zip(ram)
        .map(|(stored, ram)| stored.saturating_add(ram));
    [
        cell(code.map(count)),
        Cell::known(model.map(count)),
        cell(stored.map(count)),
        cell(ram.map(count)),
        cell(total.map(count)),
    ]
}

fn row(stage: &str, program: Cell, parts: [Cell; 5]) -> Vec<Cell> {
    [Cell::from(stage), program]
        .into_iter()
        .chain(parts)
        .collect()
}

fn training_rows(report: &Report, table: &mut Table) {
    const STAGE: &str = "Training framework";
    match &report.training {
        Some(training) => table.row(row(
            STAGE,
            format!("Burn {} (ember-train)", training.backend).into(),
            parts(
                training.program_bytes,
                training.checkpoint_bytes,
                training.peak_ram_bytes,
                Cell::measured,
            ),
        )),
        None => table.row(row(
            STAGE,
            "Burn (ember-train)".into(),
            [const { Cell::NotRun }; 5],
        )),
    }
    if section::has_references(report) {
        let anchor = &anchors::TRAINING;
        let model = anchors::SIZES
            .iter()
            .find(|size| size.variant == anchors::CHECKPOINT)
            .map(|size| size.file_bytes);
        table.row(row(
            STAGE,
            Cell::Cited(anchor.framework.to_owned(), anchor.source),
            parts(
                Some(anchor.program_bytes),
                model,
                Some(anchor.peak_ram_bytes),
                Cell::known,
            ),
        ));
    }
}

fn host_rows(report: &Report, table: &mut Table) {
    const STAGE: &str = "Host runtime";
    match &report.host {
        Some(host) => table.row(row(
            STAGE,
            "ember-lite".into(),
            parts(
                host.program_bytes,
                report
                    .variant(&host.variant)
                    .map(|variant| variant.file_bytes),
                host.peak_ram_bytes,
                Cell::measured,
            ),
        )),
        None => table.row(row(STAGE, "ember-lite".into(), [const { Cell::NotRun }; 5])),
    }
    if section::has_references(report) {
        let anchor = &anchors::HOST;
        let model = anchors::SIZES
            .iter()
            .find(|size| size.variant == "int8")
            .map(|size| size.file_bytes);
        table.row(row(
            STAGE,
            Cell::Cited(anchor.framework.to_owned(), anchor.source),
            parts(
                Some(anchor.program_bytes),
                model,
                Some(anchor.peak_ram_bytes),
                Cell::known,
            ),
        ));
    }
}

fn device_rows(report: &Report, table: &mut Table) {
    const STAGE: &str = "Device runtime";
    if report.device.is_empty() {
        table.row(row(
            STAGE,
            "ember-micro".into(),
            [const { Cell::NotRun }; 5],
        ));
    }
    for run in &report.device {
        table.row(row(
            STAGE,
            format!(
                "ember-micro {}, {} on {}",
                run.engine, run.variant, run.target
            )
            .into(),
            parts(
                Some(run.code_bytes),
                Some(run.model_bytes),
                run.ram_bytes(),
                Cell::measured,
            ),
        ));
    }
    for anchor in references(report) {
        table.row(row(
            STAGE,
            Cell::Cited(
                format!(
                    "{}, {} on {}",
                    anchor.framework, anchor.variant, anchor.target
                ),
                anchor.source,
            ),
            parts(
                Some(anchor.code_bytes),
                Some(anchor.flash_bytes - anchor.code_bytes),
                Some(anchor.arena_bytes + anchor.stack_bytes),
                Cell::known,
            ),
        ));
    }
}

/// The reference firmwares of the variants that ran; the int8 ones where nothing ran.
pub(super) fn references(report: &Report) -> Vec<&'static anchors::DeviceAnchor> {
    if !section::has_references(report) {
        return Vec::new();
    }
    let shown = |anchor: &&anchors::DeviceAnchor| {
        if report.device.is_empty() {
            anchor.variant == "int8"
        } else {
            report
                .device
                .iter()
                .any(|run| run.variant == anchor.variant)
        }
    };
    anchors::DEVICES.iter().filter(shown).collect()
}

fn devices(report: &Report) -> Table {
    let mut table = Table::new(
        "Firmware in detail",
        &report.dataset,
        vec![
            words("Core"),
            words("Firmware"),
            figures("Code bytes"),
            figures("Model bytes"),
            figures("Flash bytes"),
            figures("Static RAM"),
            figures("Arena"),
            figures("Stack"),
            figures("RAM bytes"),
            figures_if_any("Start instructions"),
        ],
    );
    for run in &report.device {
        table.row(firmware(run));
    }
    for anchor in references(report) {
        table.row(vec![
            anchor.target.into(),
            Cell::Cited(
                format!("{}, {}", anchor.framework, anchor.variant),
                anchor.source,
            ),
            count(anchor.code_bytes).into(),
            count(anchor.flash_bytes - anchor.code_bytes).into(),
            count(anchor.flash_bytes).into(),
            Cell::Blank,
            count(anchor.arena_bytes).into(),
            count(anchor.stack_bytes).into(),
            count(anchor.arena_bytes + anchor.stack_bytes).into(),
            Cell::Blank,
        ]);
    }
    table.without_empty_columns()
}

fn firmware(run: &DeviceRun) -> Vec<Cell> {
    vec![
        run.target.as_str().into(),
        format!("ember-micro {}, {}", run.engine, run.variant).into(),
        count(run.code_bytes).into(),
        count(run.model_bytes).into(),
        count(run.flash_bytes).into(),
        count(run.static_ram_bytes).into(),
        count(run.arena_bytes).into(),
        Cell::measured(run.stack_bytes.map(count)),
        Cell::measured(run.ram_bytes().map(count)),
        Cell::measured(run.init_instructions.map(count)),
    ]
}
