//! The table in markdown: what a message costs in time and in instructions, and how that grows with the
//! number of clients.

use crate::carrier::{Carrier, Row};
use crate::case::{BATCHES, Busy, CLIENTS, Case, Frames, PAYLOADS, Policy, Way};
use std::fmt::Write as _;

/// Selects a number of a row.
type What = fn(&Row) -> Option<f64>;
/// A column: its title, the carrier, the policy, and the number of a row.
type Column = (String, String, Policy, What);

/// All tables.
#[must_use]
pub fn markdown(carriers: &[Carrier]) -> String {
    let time: What = |row| row.nanoseconds;
    let count: What = |row| row.instructions;
    let columns = |what: What| -> Vec<Column> {
        let with_policies =
            |carrier: &Carrier| carrier.rows.iter().any(|row| row.case.policy == Policy::Each);
        carriers
            .iter()
            .filter(|carrier| carrier.rows.iter().any(|row| what(row).is_some()))
            .flat_map(|carrier| {
                let policies: &[Policy] = if with_policies(carrier) { &Policy::ALL } else { &[Policy::Keep] };
                policies.iter().map(move |policy| {
                    let title = if with_policies(carrier) {
                        format!("{} {policy}", carrier.name)
                    } else {
                        carrier.name.clone()
                    };
                    (title, carrier.name.clone(), *policy, what)
                })
            })
            .collect()
    };
    let requests: [(&str, What); 3] =
        [("maps", |row| row.maps), ("unmaps", |row| row.unmaps), ("signals", |row| row.signals)];
    let requests = requests.into_iter().flat_map(|(title, what)| {
        Policy::ALL.map(|policy| (format!("{title} {policy}"), "engine".to_owned(), policy, what))
    });
    let mut text = String::new();
    pairs(&mut text, "Nanoseconds a message", carriers, &columns(time), 1);
    pairs(&mut text, "Instructions a message", carriers, &columns(count), 1);
    pairs(
        &mut text,
        "What central asks of the kernel, a message",
        carriers,
        &requests.collect::<Vec<_>>(),
        3,
    );
    scaling(&mut text, carriers);
    for carrier in carriers.iter().filter(|carrier| carrier.rows.iter().any(|row| row.clients.is_some())) {
        for policy in Policy::ALL {
            let case = |payload, batch| Case::pair(payload, batch, policy);
            split(&mut text, carrier, &policy.to_string(), case);
        }
        let large =
            |payload, batch| Case { frames: Frames::Large, ..Case::pair(payload, batch, Policy::Each) };
        split(&mut text, carrier, "each, in large frames", large);
        for way in Way::OTHERS {
            let case = |payload, batch| Case { way, ..Case::pair(payload, batch, Policy::Keep) };
            split(&mut text, carrier, &format!("keep, {way}"), case);
        }
    }
    text
}

/// Who executes the instructions of a message, and what the kernel is asked for. Nothing is known of this for
/// Linux. No table if the carrier has no such case.
fn split(text: &mut String, carrier: &Carrier, title: &str, case: impl Fn(u32, u32) -> Case) {
    let columns: [(&str, What, usize); 12] = [
        ("all", |row| row.instructions, 1),
        ("a byte", |row| Some(row.instructions? / f64::from(row.case.payload)), 2),
        ("central", |row| row.central, 1),
        ("producer", |row| row.producer, 1),
        ("consumer", |row| row.consumer, 1),
        ("guards and ticker", |row| row.others, 1),
        ("kernel", |row| row.kernel, 1),
        ("kernel calls", |row| row.entries, 3),
        ("signals by central", |row| row.signals, 3),
        ("signals by clients", |row| row.doorbells, 3),
        ("maps", |row| row.maps, 3),
        ("unmaps", |row| row.unmaps, 3),
    ];
    let titles: Vec<&str> = columns.iter().map(|(title, ..)| *title).collect();
    let sizes = PAYLOADS.iter().flat_map(|payload| BATCHES.map(|batch| (*payload, batch)));
    let rows: Vec<&Row> = sizes.filter_map(|(payload, batch)| carrier.row(case(payload, batch))).collect();
    if rows.is_empty() {
        return;
    }
    head(text, &format!("{}, {title}: instructions a message", carrier.name), &["bytes", "batch"], &titles);
    for row in rows {
        let _ = write!(text, "| {} | {} |", row.case.payload, row.case.batch);
        for (_, what, digits) in &columns {
            cell(text, what(row), *digits);
        }
        text.push('\n');
    }
}

fn pairs(text: &mut String, title: &str, carriers: &[Carrier], columns: &[Column], digits: usize) {
    let titles: Vec<&str> = columns.iter().map(|(title, ..)| title.as_str()).collect();
    head(text, title, &["bytes", "batch"], &titles);
    for payload in PAYLOADS {
        for batch in BATCHES {
            let _ = write!(text, "| {payload} | {batch} |");
            for (_, name, policy, what) in columns {
                let carrier = carriers.iter().find(|carrier| carrier.name == *name);
                let row = carrier.and_then(|carrier| carrier.row(Case::pair(payload, batch, *policy)));
                cell(text, row.and_then(what), digits);
            }
            text.push('\n');
        }
    }
}

fn scaling(text: &mut String, carriers: &[Carrier]) {
    let row = |carrier: &Carrier, clients, busy| {
        carrier.row(Case { clients, busy, ..Case::pair(64, 32, Policy::Keep) }).copied()
    };
    let numbers: [(&str, What); 2] =
        [("ns", |row| row.nanoseconds), ("instructions", |row| row.instructions)];
    let mut columns = Vec::new();
    for carrier in carriers {
        for busy in [Busy::One, Busy::All] {
            for (unit, what) in numbers {
                let measured =
                    |clients: &&u16| row(carrier, **clients, busy).and_then(|row| what(&row)).is_some();
                // Every carrier has the row with two clients, so that alone shows no growth.
                if CLIENTS.iter().filter(measured).count() > 1 {
                    columns.push((format!("{}, {unit}, {busy} busy", carrier.name), carrier, busy, what));
                }
            }
        }
    }
    let titles: Vec<&str> = columns.iter().map(|(title, ..)| title.as_str()).collect();
    head(text, "More clients: 64 bytes, batch 32, keep", &["clients"], &titles);
    for clients in CLIENTS {
        let _ = write!(text, "| {clients} |");
        for (_, carrier, busy, what) in &columns {
            cell(text, row(carrier, clients, *busy).and_then(|row| what(&row)), 1);
        }
        text.push('\n');
    }
}

fn head(text: &mut String, title: &str, keys: &[&str], titles: &[&str]) {
    let columns: Vec<&str> = keys.iter().chain(titles).copied().collect();
    let _ =
        write!(text, "\n### {title}\n\n| {} |\n|{}\n", columns.join(" | "), " ---: |".repeat(columns.len()));
}

fn cell(text: &mut String, value: Option<f64>, digits: usize) {
    let _ = match value {
        Some(value) => write!(text, " {value:.digits$} |"),
        None => write!(text, " |"),
    };
}
