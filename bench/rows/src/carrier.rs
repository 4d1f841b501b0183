//! Carriers and their rows. All measurements are written down in this form, and so is the baseline.

use crate::case::Case;
use serde::{Deserialize, Serialize};

/// All measurements of one thing that carries messages.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Carrier {
    /// Its name: `engine`, `memcpy`, `hosted`, `pipe`, `classic`, …
    pub name: String,
    /// One row for each case.
    pub rows: Vec<Row>,
}

/// What one carrier costs in one case. All numbers are per message. A number that the carrier cannot measure
/// is absent.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// Wall-clock nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nanoseconds: Option<f64>,
    /// Instructions, in total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<f64>,
    /// Instructions of central in user mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub central: Option<f64>,
    /// Instructions of both clients in user mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<f64>,
    /// The sender's part of `clients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<f64>,
    /// The receiver's part of `clients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<f64>,
    /// Instructions of the guards, and of the ticker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<f64>,
    /// Instructions of the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<f64>,
    /// How often the processor entered the kernel by a system call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<f64>,
    /// Frames mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maps: Option<f64>,
    /// Frames unmapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmaps: Option<f64>,
    /// Signals that central sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<f64>,
    /// Signals that clients sent to central.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doorbells: Option<f64>,
}

impl Row {
    /// A row of this case, without any measurement.
    #[must_use]
    pub const fn of(case: Case) -> Self {
        Self {
            case,
            nanoseconds: None,
            instructions: None,
            central: None,
            clients: None,
            producer: None,
            consumer: None,
            others: None,
            kernel: None,
            entries: None,
            maps: None,
            unmaps: None,
            signals: None,
            doorbells: None,
        }
    }
}

impl Carrier {
    /// The row of this case, if there is one.
    #[must_use]
    pub fn row(&self, case: Case) -> Option<&Row> {
        self.rows.iter().find(|row| row.case == case)
    }
}

/// A total, divided by the number of messages.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "totals are far below 2^52")]
pub fn per_message(total: u64, messages: u32) -> f64 {
    total as f64 / f64::from(messages)
}
