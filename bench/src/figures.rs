//! The plots of `docs/performance.md`.

use crate::carrier::{Carrier, Row};
use crate::case::{BATCHES, Busy, CLIENTS, Case, PAYLOADS, Policy};
use crate::plot::{self, Bar, Series};
use crate::reference;
use std::fs;
use std::io;
use std::path::Path;

/// The batch and the payload that the plots hold fixed, and those of the scaling series.
const BATCH: u32 = 32;
const PAYLOAD: u32 = 64;

/// Selects the number of a row that is drawn.
type What = fn(&Row) -> Option<f64>;

/// Writes all plots that have something to show into `directory`, as SVG.
pub fn write(carriers: &[Carrier], directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let time: What = |row| row.nanoseconds;
    let count: What = |row| row.instructions;
    let by_size = |payload| Case::pair(payload, BATCH, Policy::Keep);
    let by_batch = |batch| Case::pair(PAYLOAD, batch, Policy::Keep);
    let on_sel4 = |carrier: &Carrier| carrier.rows.iter().any(|row| row.kernel.is_some());
    let beside: Vec<&Carrier> = carriers
        .iter()
        .filter(|carrier| {
            carrier.name == reference::BESIDE || carrier.name == "sDDF" || carrier.name == "floor"
        })
        .collect();
    let booted: Vec<&Carrier> = carriers.iter().filter(|carrier| on_sel4(carrier)).collect();
    let all: Vec<&Carrier> = carriers.iter().collect();
    let bytes = "bytes of the message";
    let messages = "messages of a batch";
    let instructions = "instructions a message";
    let plots = [
        (
            "time-by-size.svg",
            plot::svg(
                "Time a message takes, in batches of 32",
                bytes,
                "ns a message",
                &series(&all, &PAYLOADS, by_size, time),
            ),
        ),
        (
            "sel4-by-size.svg",
            plot::svg(
                "seL4 on aarch64: the whole machine, in batches of 32",
                bytes,
                instructions,
                &series(&beside, &PAYLOADS, by_size, count),
            ),
        ),
        (
            "sel4-by-batch.svg",
            plot::svg(
                "seL4 on aarch64: the whole machine, 64 bytes",
                messages,
                instructions,
                &series(&beside, &BATCHES, by_batch, count),
            ),
        ),
        (
            "platforms-by-batch.svg",
            plot::svg(
                "The whole machine on every seL4, 64 bytes",
                messages,
                instructions,
                &series(&booted, &BATCHES, by_batch, count),
            ),
        ),
        ("scaling.svg", scaling(&all)),
    ];
    for (name, text) in plots {
        if plot::has_points(&text) {
            fs::write(directory.join(name), text)?;
        }
    }
    let measured = carriers.iter().find(|carrier| carrier.name == reference::BESIDE);
    if let Some(carrier) = measured {
        fs::write(directory.join("sel4-split.svg"), split(carrier))?;
    }
    Ok(())
}

/// One line for each carrier and policy that has points.
fn series<T: Copy + Into<f64>>(
    carriers: &[&Carrier],
    values: &[T],
    case: impl Fn(T) -> Case,
    what: What,
) -> Vec<Series> {
    let mut series = Vec::new();
    for carrier in carriers {
        for policy in Policy::ALL {
            let point = |value: &T| {
                let case = Case { policy, ..case(*value) };
                Some(((*value).into(), carrier.row(case).and_then(what)?))
            };
            let points: Vec<(f64, f64)> = values.iter().filter_map(point).collect();
            if !points.is_empty() {
                series.push((format!("{} {policy}", carrier.name), points));
            }
        }
    }
    series
}

/// Instructions over the number of clients.
fn scaling(carriers: &[&Carrier]) -> String {
    let mut series = Vec::new();
    for carrier in carriers {
        for busy in [Busy::One, Busy::All] {
            let point = |clients: &u16| {
                let case = Case { clients: *clients, busy, ..Case::pair(PAYLOAD, BATCH, Policy::Keep) };
                Some((f64::from(*clients), carrier.row(case)?.instructions?))
            };
            let points: Vec<(f64, f64)> = CLIENTS.iter().filter_map(point).collect();
            // A single point shows no growth.
            if points.len() > 1 {
                series.push((format!("{}, {busy} busy", carrier.name), points));
            }
        }
    }
    plot::svg("More clients: 64 bytes, batches of 32, keep", "clients", "instructions a message", &series)
}

/// The bars that show who executes the instructions of a 64-byte message, for each policy and batch.
fn split(carrier: &Carrier) -> String {
    let parts: [(&str, What); 4] = [
        ("central", |row| row.central),
        ("producer", |row| row.producer),
        ("consumer", |row| row.consumer),
        ("kernel", |row| row.kernel),
    ];
    let mut bars = Vec::new();
    for policy in Policy::ALL {
        for batch in BATCHES {
            let Some(row) = carrier.row(Case::pair(PAYLOAD, batch, policy)) else { continue };
            let values = parts.iter().map(|(_, part)| part(row).unwrap_or_default()).collect();
            bars.push(Bar { label: format!("{policy}, {batch}"), values });
        }
    }
    plot::bars(
        &format!("{}: who executes the instructions of a 64-byte message, share", carrier.name),
        &parts.map(|(name, _)| name),
        &bars,
    )
}
