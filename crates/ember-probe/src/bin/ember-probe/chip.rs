//! `chips`, `plan` and `flash-plan`: what is known without a chip on the desk.

use crate::cli::{self, Chips, FlashPlan, Plan};
use anyhow::Result;
use ember_probe::chips::{self, ChipRow, Span};
use ember_probe::hex;
use ember_progress::Console;

/// `chips`.
pub fn list(settings: &Chips, console: &Console) -> Result<()> {
    let search = settings.search.as_deref().unwrap_or_default();
    let rows = chips::list(search);
    if settings.json {
        console.result(cli::json(&rows)?);
        return Ok(());
    }
    if rows.is_empty() {
        // Says which names are near.
        chips::find(search)?;
    }
    for row in &rows {
        console.result(line(row));
    }
    let supported = rows.iter().filter(|row| row.supported).count();
    console.line(format!("{supported} of {} chips are supported", rows.len()));
    Ok(())
}

fn line(row: &ChipRow) -> String {
    let kilobytes = |bytes: Option<u32>| {
        bytes.map_or_else(|| "?".to_owned(), |bytes| (bytes >> 10).to_string())
    };
    let state = match &row.refusal {
        None => "supported",
        Some(refusal) => &format!("no: {}", refusal.reason),
    };
    format!(
        "{:24} {:16} {:>6} KiB flash {:>6} KiB RAM  {state}",
        row.name,
        row.core,
        kilobytes(row.flash_bytes),
        kilobytes(row.ram_bytes),
    )
}

/// `plan`: JSON, for programs.
pub fn plan(settings: &Plan, console: &Console) -> Result<()> {
    let plan = chips::plan(&chips::find(&settings.chip)?)?;
    console.result(cli::json(&plan)?);
    Ok(())
}

/// `flash-plan`.
pub fn flash_plan(settings: &FlashPlan, console: &Console) -> Result<()> {
    let plan = chips::plan(&chips::find(&settings.chip)?)?;
    let flash = chips::flash_plan(&plan, &hex::read(&settings.image)?)?;
    if settings.json {
        console.result(cli::json(&flash)?);
    } else {
        show(&flash, console);
    }
    Ok(())
}

/// What would be erased and written, for people.
pub fn show(flash: &chips::FlashPlan, console: &Console) {
    let spans = |title: &str, spans: &[Span]| {
        for Span { address, bytes } in spans {
            console.result(format!("{title:>8} {address:#010x}  {bytes:9} bytes"));
        }
    };
    spans("image", &flash.parts);
    spans("erase", &flash.sectors);
    console.result(format!(
        "{} bytes of image; {} sectors with {} bytes are erased, {} pages with {} bytes written. Nothing was written now.",
        flash.image_bytes,
        flash.sectors.len(),
        flash.erased_bytes,
        flash.pages.len(),
        flash.programmed_bytes,
    ));
}
