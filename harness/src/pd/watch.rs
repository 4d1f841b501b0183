//! Checks guarantee 5: nothing becomes visible to a client while a frame is mapped.
//!
//! Whenever central maps, copies or unmaps, the watch compares what clients can see with what they could see
//! before the first frame was mapped: the delivery tails, and which sends have a final status. The watch ends
//! for good when a flow that keeps frames mapped is used, because the order means nothing there.

use crate::domain;
use ferry_layout::InRegion;
use ferry_layout::config::{BufferRecord, Config, FlowRecord, Mapping};
use ferry_layout::geometry::TRANSMIT_SLOTS;
use static_cell::ConstStaticCell;

/// Number of clients of the test systems.
const CLIENTS: usize = 4;

/// What one client can see.
#[derive(Clone, Copy)]
struct View {
    delivery_tail: u32,
    /// Index and number of the final status of each slot; 0 if the slot has none.
    ended: [u64; TRANSMIT_SLOTS],
}

impl View {
    const NOTHING: Self = Self { delivery_tail: 0, ended: [0; TRANSMIT_SLOTS] };
}

/// The views are too large for central's stack.
static VIEWS: ConstStaticCell<[View; CLIENTS]> = ConstStaticCell::new([View::NOTHING; CLIENTS]);

/// What the watch knows.
pub(crate) struct Watch {
    pages: [Option<&'static InRegion>; CLIENTS],
    /// What each client could see before the first frame was mapped.
    views: &'static mut [View; CLIENTS],
    mapped: u32,
    is_over: bool,
    config: Config<'static>,
}

impl Watch {
    /// A watch over all clients. Call it only once.
    pub(crate) fn new(config: Config<'static>) -> Self {
        let mut pages = [None; CLIENTS];
        for (id, client) in config.clients() {
            pages[id.index()] = domain::ports(client).map(|ports| ports.to_client);
        }
        Self { pages, views: VIEWS.take(), mapped: 0, is_over: false, config }
    }

    /// A frame is about to be mapped.
    pub(crate) fn map(&mut self) {
        if self.mapped == 0 && !self.is_over {
            for (page, view) in self.pages.iter().flatten().zip(&mut *self.views) {
                view.delivery_tail = page.delivery_tail.observe();
                for (index, ended) in (0..).zip(&mut view.ended) {
                    *ended = end_of(page, index);
                }
            }
        }
        self.look();
        self.mapped += 1;
    }

    /// A frame is about to be unmapped.
    pub(crate) fn unmap(&mut self) {
        self.look();
        self.mapped = self.mapped.saturating_sub(1);
    }

    /// Bytes are about to be copied.
    pub(crate) fn copy(&mut self, from: u64, to: u64) {
        self.look();
        self.is_over |= self.flow(from, to).is_some_and(|flow| flow.mapping() == Mapping::Keep);
    }

    /// The flow of bytes that are copied between two places of the window.
    fn flow(&self, from: u64, to: u64) -> Option<&'static FlowRecord> {
        let holds = |buffer: &BufferRecord, place: u64| {
            (buffer.window_address..buffer.window_address + buffer.bytes).contains(&place)
        };
        let source = self.config.clients().find(|(_, client)| holds(&client.transmit, from))?.0;
        let target = self.config.clients().find(|(_, client)| holds(&client.receive, to))?.0;
        let pair = (source.number(), target.number());
        self.config.flows().iter().find(|flow| (flow.source, flow.target) == pair)
    }

    /// Checks that no client sees more than before the first frame was mapped.
    fn look(&self) {
        if self.mapped == 0 || self.is_over {
            return;
        }
        for (page, view) in self.pages.iter().flatten().zip(&*self.views) {
            assert_eq!(
                page.delivery_tail.observe(),
                view.delivery_tail,
                "a delivery is visible while frames are mapped"
            );
            for (index, before) in (0..).zip(view.ended) {
                let now = end_of(page, index);
                assert!(now == 0 || now == before, "an end is visible while frames are mapped");
            }
        }
    }
}

/// Index and number of the last status of a slot, if it is final; otherwise 0.
fn end_of(page: &InRegion, slot: u32) -> u64 {
    let (index, status) = page.status(slot).latest();
    if status.is_final() { u64::from(index) << 32 | u64::from(status as u32) } else { 0 }
}
