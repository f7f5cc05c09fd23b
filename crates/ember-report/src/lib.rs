//! What a run measured, and the tables, plots and pages that show it.
//!
//! [`Report`] is the machine-readable contract (`report.json`): plain data, filled by whoever ran the stages. A stage that
//! did not run is `None` or an empty list, and is shown as "not run", never as zero.
//!
//! **Invariant:** nothing in this crate measures anything. Every figure of a run comes in through [`Report`]; every other
//! figure is one of [`anchors`] and is marked as such wherever it is shown.

pub mod anchors;
mod check;
mod comparison;
mod error;
mod markdown;
mod number;
mod page;
mod plot;
mod quantization;
mod report;
mod section;
mod sheet;
mod table;
mod terminal;
mod write;

pub use error::ReportError;
pub use quantization::{LayerLoss, Loss, QuantizationLoss};
pub use report::{
    Data, Development, DeviceRun, Epoch, FORMAT, HostRuntime, Latency, Model, OpCost, Report,
    SeedResult, Training, Variant,
};
pub use sheet::{Entry, Heading, Sheet};
pub use terminal::TerminalStyle;
