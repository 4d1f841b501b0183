//! What central knows about one client.

use core::mem::offset_of;

use ferry_layout::geometry::{DELIVERY_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{
    Consumer, Counters, Delivery, DeliveryKind, DomainId, InRegion, Offence, OutRegion, Producer, Standing,
};

use super::wait::waits::Waits;
use crate::budget::Budget;
use crate::buffer::Buffer;
use crate::course::Course;
use crate::inspections::Inspections;
use crate::machine::{Machine, Side};
use crate::one_way::CarriedSends;
use crate::requests::Requests;
use crate::send::Sends;
use crate::service::Service;
use crate::slots::SlotSet;
use crate::table::{ClientSet, LINE_BYTES, Table};

/// The pages that central and one client share, as central maps them.
#[derive(Clone, Copy)]
pub struct Ports {
    /// `<client>_out`: central reads.
    pub from_client: &'static OutRegion,
    /// `<client>_in`: central writes.
    pub to_client: &'static InRegion,
}

/// One client. There is one for every number that a client can have. One without [`Ports`] is not part of
/// this system.
///
/// The fields lie in memory in this order. What every turn needs lies together in two cache lines, with the
/// first fields of `requests` as the last of them. Each buffer begins with another line.
#[repr(C, align(64))]
pub(super) struct Client {
    pub(super) ports: Option<Ports>,
    pub(super) standing: Standing,
    pub(super) epoch: u32,
    pub(super) transmit: Consumer<TRANSMIT_SLOTS>,
    pub(super) deliveries: Producer<DELIVERY_SLOTS>,

    pub(super) waits: Waits,
    pub(super) budget: Budget,
    /// Several clients may send to this one, so what it offers has to be shared.
    pub(super) has_several_senders: bool,
    /// The next turn takes new sends before it goes on with waiting ones.
    pub(super) new_first: bool,
    /// A chain that is too long was refused, and its rest follows. The rest is refused too.
    pub(super) in_refused_chain: bool,
    /// After a restart of central: sends before this index were taken before, and have to be taken again.
    pub(super) retake: Option<u32>,
    pub(super) requests: Requests,

    pub(super) transmit_buffer: Buffer,
    pub(super) receive_buffer: Buffer,
    pub(super) sends: Sends,

    /// Clients that may send to this one, and wait for it if it is not ready. So not those of one-way flows.
    pub(super) senders: ClientSet,
    /// How far the senders of this client have been served; see `share.rs`.
    pub(super) service: Service,

    /// The number of the target whose flow comes first when waiting sends go on.
    pub(super) next_target: u32,
    /// Where maps and unmaps of its frames are counted. Nowhere if it could learn by them what it must not.
    pub(super) mappings: Option<&'static Counters>,
    /// What it has sent in one-way flows since the last tick.
    pub(super) carried: CarriedSends,
    /// Clients to which this one has flows with guards.
    pub(super) guarded: ClientSet,
    /// It is a guard.
    pub(super) is_guard: bool,
    /// It is a guard, or the target of a one-way flow. What it posts may stay in its ring.
    pub(super) leaves_requests: bool,
    /// The tick at which central last took what it, a guard, had posted, whether or not that was needed.
    pub(super) requests_taken_at: Option<u32>,
    /// The tick at which messages of a one-way flow were last carried into requests from its ring. `None` if
    /// they stayed there at a tick since.
    pub(super) requests_used_at: Option<u32>,
    /// The sources and targets of the flows that it guards.
    pub(super) inspects: ClientSet,
    /// What it has to inspect, if it is a guard.
    pub(super) inspections: Inspections,
    /// A guard's receive buffer, as central reads snapshots from it.
    pub(super) snapshot_buffer: Buffer,
    /// How far the sends to `guarded` have come. The index is that of the first part.
    pub(super) courses: Table<Course, TRANSMIT_SLOTS>,
    /// Inspections of a guard that it has not answered, whether or not their messages have ended: the slots
    /// of their deliveries.
    pub(super) unanswered: SlotSet,
    /// A guard's verdicts whose messages have ended, and that are still queued.
    pub(super) settled_verdicts: SlotSet,
    /// What it is to be quarantined for. Without a meaning before it is suspected.
    pub(super) offence: Offence,
}

const _: () = assert!(offset_of!(Client, requests) + Requests::BYTES_OF_EVERY_TURN <= 2 * LINE_BYTES);

impl Client {
    pub(super) const fn new() -> Self {
        Self {
            ports: None,
            standing: Standing::Closed,
            epoch: 0,
            transmit: Consumer::new(0),
            deliveries: Producer::new(0),
            waits: Waits::NOBODY,
            budget: Budget::NONE,
            has_several_senders: false,
            new_first: false,
            in_refused_chain: false,
            retake: None,
            requests: Requests::new(),
            transmit_buffer: Buffer::new(Side::Transmit),
            receive_buffer: Buffer::new(Side::Receive),
            sends: Sends::new(),
            senders: ClientSet::EMPTY,
            service: Service::NONE,
            next_target: 0,
            mappings: None,
            carried: CarriedSends::NONE,
            guarded: ClientSet::EMPTY,
            is_guard: false,
            leaves_requests: false,
            requests_taken_at: None,
            requests_used_at: None,
            inspects: ClientSet::EMPTY,
            inspections: Inspections::new(),
            snapshot_buffer: Buffer::new(Side::Snapshot),
            courses: Table::new([Course::BEGIN; TRANSMIT_SLOTS]),
            unanswered: SlotSet::EMPTY,
            settled_verdicts: SlotSet::EMPTY,
            offence: Offence::TransmitTail,
        }
    }

    /// Whether a turn of this client could do anything.
    #[inline]
    pub(super) fn has_work(&self) -> bool {
        self.standing == Standing::Open && (self.transmit.available() != 0 || !self.waits.ready().is_empty())
    }

    /// Counts the descriptors of message `index`, which is carried or refused, against the share of this
    /// round.
    #[inline]
    pub(super) fn spend(&mut self, index: u32) {
        self.budget.count_descriptors(self.sends.get(index).header.parts.into());
    }

    /// Unmaps every frame of all buffers.
    pub(super) fn unmap_all(&mut self, client: DomainId, machine: &mut impl Machine) {
        let mut unmapped = 0;
        for buffer in [&mut self.transmit_buffer, &mut self.receive_buffer, &mut self.snapshot_buffer] {
            unmapped += buffer.unmap_all(client, machine).0;
        }
        self.count_mappings(|counters| counters.unmaps.add(unmapped.into()));
    }

    pub(super) const fn buffer_mut(&mut self, side: Side) -> &mut Buffer {
        match side {
            Side::Transmit => &mut self.transmit_buffer,
            Side::Receive => &mut self.receive_buffer,
            Side::Snapshot => &mut self.snapshot_buffer,
        }
    }

    /// Counts what was done for the client, in its `_in` page. Nobody else writes these counters.
    #[inline]
    pub(super) fn count(&self, add: impl FnOnce(&Counters)) {
        if let Some(ports) = self.ports {
            add(&ports.to_client.counters);
        }
    }

    /// Counts maps or unmaps of the client's frames.
    #[inline]
    pub(super) fn count_mappings(&self, add: impl FnOnce(&Counters)) {
        if let Some(counters) = self.mappings {
            add(counters);
        }
    }

    /// Whether its receive queue has a place for another delivery, as far as central knows.
    #[inline]
    pub(super) const fn has_room(&self) -> bool {
        self.room() != 0
    }

    /// Deliveries for which its receive queue has a place, as far as central knows.
    #[inline]
    pub(super) const fn room(&self) -> u32 {
        self.deliveries.free()
    }

    /// The delivery with which it, a guard, was handed the inspection that has this ticket. `None` for a
    /// ticket that it was not given in this epoch, or has answered.
    pub(super) fn unanswered_inspection(&self, ports: Ports, ticket: u64) -> Option<Delivery> {
        let index = Inspections::delivery(ticket);
        let inspection: Delivery = ports.to_client.deliveries.load(index);
        let is_it = inspection.kind == DeliveryKind::Inspection as u8
            && inspection.sequence == ticket
            && Inspections::is_of_epoch(ticket, self.epoch)
            && self.unanswered.contains(index);
        is_it.then_some(inspection)
    }

    /// After a restart of central: a delivery says that receive request `request` is over.
    pub(super) fn settle_request(&mut self, request: u32) {
        self.requests.settle(request, &mut self.inspections);
    }

    /// Publishes `settled`: all statuses for these deliveries are written. Until then no delivery is stored
    /// after them, so that a restart finds them intact.
    #[inline]
    pub(super) fn note_settled(&self, to_client: &InRegion) {
        to_client.settled.publish(self.deliveries.next());
    }

    /// Publishes the delivery tail in the client's page, and then what became of its requests: the journal
    /// and the post head.
    #[inline]
    pub(super) fn show_deliveries(&mut self, to_client: &InRegion) {
        to_client.delivery_tail.publish(self.deliveries.next());
        self.requests.publish(to_client);
    }

    /// Delivers the answer that receive request `request` is refused or withdrawn, and makes it visible. The
    /// caller has checked that there is room. Each answer is settled at once. So a restarted central finds at
    /// most one answer that is not: the newest delivery. It has to note the request of that one as over.
    pub(super) fn answer(&mut self, ports: Ports, kind: DeliveryKind, request: u32) {
        if let Some(index) = self.deliveries.push() {
            let answer = Delivery { request, kind: kind as u8, ..Delivery::default() };
            ports.to_client.deliveries.store(index, answer);
            self.show_deliveries(ports.to_client);
            self.note_settled(ports.to_client);
        }
    }
}
