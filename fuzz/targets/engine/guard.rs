//! The honest guard: what it has not passed reaches nobody.

use std::collections::VecDeque;

use ferry_client::{Inspection, Port, ReceiveBuffer, ReceiveMemory};
use ferry_testbed::Silent;

/// Bytes of a buffer. A message of a flow with guards is not longer.
pub(crate) const LONGEST: u32 = 4096;

/// A message that it has passed.
#[derive(PartialEq, Eq)]
struct Passed {
    source: u16,
    target: u16,
    tag: u64,
    bytes: Vec<u8>,
}

pub(crate) struct Guard {
    port: Port<Silent>,
    /// What it has answered. The places are not its own yet.
    answered: Vec<Inspection>,
    /// What it has passed since central has started, oldest first.
    passed: VecDeque<Passed>,
}

impl Guard {
    pub(crate) fn new(port: Port<Silent>, memory: ReceiveMemory) -> Self {
        let mut guard = Self { port, answered: Vec::new(), passed: VecDeque::new() };
        let buffers: Vec<ReceiveBuffer> = memory.split::<8>(LONGEST).into_iter().collect();
        for buffer in buffers {
            guard.port.post(buffer, None).expect("room for a request");
        }
        guard.port.publish();
        guard
    }

    /// Answers what it has. It passes messages with even tags.
    pub(crate) fn answer(&mut self) {
        while let Some(ended) = self.port.reap() {
            let place = self.answered.iter().position(|it| it.ticket == ended.tag).expect("its answer");
            let inspection = self.answered.swap_remove(place);
            self.port.post(inspection.buffer, None).expect("room for a request");
        }
        while let Some(inspection) = self.port.inspect() {
            let passes = inspection.tag % 2 == 0;
            if passes {
                self.passed.push_back(Passed {
                    source: inspection.source.number(),
                    target: inspection.target.number(),
                    tag: inspection.tag,
                    bytes: inspection.bytes().to_vec(),
                });
            }
            self.port.answer(inspection.ticket, passes, 0).expect("room for an answer");
            self.answered.push(inspection);
        }
        self.port.publish();
    }

    /// A new central begins: what was passed counts for nothing.
    pub(crate) fn forget(&mut self) {
        self.passed.clear();
    }

    /// A message is delivered. It was passed with these bytes, and comes once.
    pub(crate) fn let_through(&mut self, source: u16, target: u16, tag: u64, bytes: &[u8]) {
        let message = Passed { source, target, tag, bytes: bytes.to_vec() };
        let place = self.passed.iter().position(|passed| *passed == message);
        let place = place.unwrap_or_else(|| panic!("{tag} of {source} was not passed"));
        self.passed.remove(place);
    }
}
