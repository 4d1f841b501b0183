//! Hints: what breaks no rule and would be better otherwise. `ferry check` prints them after its report. They
//! are about cost, never about isolation, so nothing is refused because of one.

use crate::description::{Client, Description, Flow};
use crate::limits::{LARGE_PAGE_BYTES, PAGE_BYTES};
use crate::name::shown;
use crate::source::Place;
use ferry_layout::config::Mapping;
use std::fmt;

/// What would be better otherwise, and where. `Display` prints one line: where, what, what to do.
#[derive(Clone, Debug)]
pub struct Hint {
    /// Where it is.
    pub place: Place,
    /// What could be better.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}: {}; {}", self.place, self.what, self.remedy);
        formatter.write_str(&shown(&line))
    }
}

impl Description {
    /// All hints, in the order of the flows.
    #[must_use]
    pub fn hints(&self) -> Vec<Hint> {
        self.flows.iter().filter_map(|flow| self.small_frames(flow)).collect()
    }

    /// A flow whose messages may be longer than a page, and whose frames of 4 KiB are mapped for each of
    /// them.
    fn small_frames(&self, flow: &Flow) -> Option<Hint> {
        let client = |number: u16| &self.clients[usize::from(number)];
        let (source, target) = (client(flow.source), client(flow.target));
        let guards = flow.stages.iter().flat_map(|stage| &stage.members).map(|guard| client(*guard));
        let receivers = || guards.clone().chain([target]);
        let buffers = receivers().map(|client| client.receive.bytes).chain([source.transmit.bytes]);
        let longest = buffers.fold(u64::from(flow.max_message), u64::min);
        let is_small = |client: &&Client| u32::from(client.transmit.frame_bits) == PAGE_BYTES.ilog2();
        let small: Vec<&str> =
            [source].into_iter().chain(receivers()).filter(is_small).map(|client| &*client.name).collect();
        if flow.mapping != Mapping::Each || longest <= PAGE_BYTES || small.is_empty() {
            return None;
        }
        let frames = longest.div_ceil(PAGE_BYTES);
        let tables: Vec<String> = small.iter().map(|name| format!("[client.{name}]")).collect();
        Some(Hint {
            place: flow.place.clone(),
            what: format!(
                "`{}` to `{}`: a message of {longest} bytes takes {frames} maps and {frames} unmaps of frames of \
                 4 KiB for {}",
                source.name,
                target.name,
                small.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and for "),
            ),
            remedy: format!(
                "frames of 2 MiB serve a whole batch: write large_frames = true in {}, and let sizes and addresses \
                 of _tx and _rx be multiples of {LARGE_PAGE_BYTES:#x}",
                tables.join(", "),
            ),
        })
    }
}
