//! Carriers and their rows: the one form in which all measurements are written down, and in which the
//! baseline is kept.

use crate::case::Case;
use serde::{Deserialize, Serialize};

/// Everything that was measured of one thing that carries messages.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Carrier {
    /// Its name: `engine`, `memcpy`, `hosted`, `pipe`, `classic`, …
    pub name: String,
    /// Its cases.
    pub rows: Vec<Row>,
}

/// What one carrier costs in one case, per message. What a carrier cannot measure is absent.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// Wall-clock nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nanoseconds: Option<f64>,
    /// Instructions, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<f64>,
    /// Instructions of central in user mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub central: Option<f64>,
    /// Instructions of both clients in user mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<f64>,
    /// Of these, the sender's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<f64>,
    /// Of these, the receiver's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<f64>,
    /// Instructions of the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<f64>,
    /// Times the processor went into the kernel.
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
    /// A row in which nothing is measured yet.
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
    /// The row of a case.
    #[must_use]
    pub fn row(&self, case: Case) -> Option<&Row> {
        self.rows.iter().find(|row| row.case == case)
    }
}

/// A total, for each message.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "totals are far below 2^52")]
pub fn per_message(total: u64, messages: u32) -> f64 {
    total as f64 / f64::from(messages)
}
