//! The table in markdown: what a message costs in time and in instructions, and how it grows with the clients.

use crate::case::{BATCHES, Busy, CLIENTS, Case, PAYLOADS, Policy};
use crate::lane::{Lane, Row};
use std::fmt::Write as _;

/// A number of a row.
type What = fn(&Row) -> Option<f64>;
/// A column: its title, the lane, the policy, and what of a row.
type Column = (String, String, Policy, What);

/// All tables.
#[must_use]
pub fn markdown(lanes: &[Lane]) -> String {
    let time: What = |row| row.nanoseconds;
    let count: What = |row| row.instructions;
    let columns = |what: What| -> Vec<Column> {
        let with_policies = |lane: &Lane| lane.rows.iter().any(|row| row.case.policy == Policy::Each);
        lanes
            .iter()
            .filter(|lane| lane.rows.iter().any(|row| what(row).is_some()))
            .flat_map(|lane| {
                let policies: &[Policy] = if with_policies(lane) { &Policy::ALL } else { &[Policy::Keep] };
                policies.iter().map(move |policy| {
                    let title = if with_policies(lane) {
                        format!("{} {policy}", lane.name)
                    } else {
                        lane.name.clone()
                    };
                    (title, lane.name.clone(), *policy, what)
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
    pairs(&mut text, "Nanoseconds a message", lanes, &columns(time), 1);
    pairs(&mut text, "Instructions a message", lanes, &columns(count), 1);
    pairs(&mut text, "What central asks of the kernel, a message", lanes, &requests.collect::<Vec<_>>(), 3);
    scaling(&mut text, lanes);
    text
}

fn pairs(text: &mut String, title: &str, lanes: &[Lane], columns: &[Column], digits: usize) {
    let titles: Vec<&str> = columns.iter().map(|(title, ..)| title.as_str()).collect();
    head(text, title, &["bytes", "batch"], &titles);
    for payload in PAYLOADS {
        for batch in BATCHES {
            let _ = write!(text, "| {payload} | {batch} |");
            for (_, name, policy, what) in columns {
                let lane = lanes.iter().find(|lane| lane.name == *name);
                let row = lane.and_then(|lane| lane.row(Case::pair(payload, batch, *policy)));
                cell(text, row.and_then(what), digits);
            }
            text.push('\n');
        }
    }
}

fn scaling(text: &mut String, lanes: &[Lane]) {
    let titles = ["ns, one busy", "ns, all busy", "instructions, one busy", "instructions, all busy"];
    head(text, "More clients: the engine, 64 bytes, batch 32, keep", &["clients"], &titles);
    let engine = lanes.iter().find(|lane| lane.name == "engine");
    for clients in CLIENTS {
        let _ = write!(text, "| {clients} |");
        let row = |busy| engine?.row(Case { clients, busy, ..Case::pair(64, 32, Policy::Keep) });
        let both = [Busy::One, Busy::All].map(row);
        for what in [(|row: &Row| row.nanoseconds) as What, |row| row.instructions] {
            for row in both {
                cell(text, row.and_then(what), 1);
            }
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
