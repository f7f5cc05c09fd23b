//! What no runtime supports yet. Each entry must be refused with an error that names what is missing; when a runtime
//! runs one, the test fails and the entry goes.

use crate::suite::NotYet;

/// Goldens of `golden/` that no runtime takes.
pub const GOLDENS_NOT_YET: &[NotYet] = &[
    // TFLM reads the absent scale as 0 and then compares it as any other.
    NotYet {
        case: "fully_connected/int8_bias_without_scale",
        mentions: &["FULLY_CONNECTED", "input 2", "scale"],
    },
];

/// Folders of [`folder`](crate::folder) that no runtime takes.
pub const MODELS_NOT_YET: &[NotYet] = &[];
