//! What central knows of one client.

use core::num::NonZeroU32;

use ferry_layout::geometry::{DELIVERY_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{Consumer, Counters, Delivery, DeliveryKind, InRegion, OutRegion, Producer, Standing};

use crate::buffer::Buffer;
use crate::machine::Side;
use crate::requests::Requests;
use crate::send::Sends;
use crate::share::Service;
use crate::table::ClientSet;
use crate::wait::Waits;

/// The pages that central and one client share, as central maps them.
#[derive(Clone, Copy)]
pub struct Ports {
    /// `<client>_out`: central reads.
    pub out: &'static OutRegion,
    /// `<client>_in`: central writes.
    pub into: &'static InRegion,
}

/// One client. Exists for every number a system can have; without [`Ports`] it is not part of this system.
///
/// In the order in which it is written, which is that of use: what every turn needs lies together, the tables
/// at the end.
#[repr(C)]
pub(crate) struct Client {
    pub(crate) ports: Option<Ports>,
    pub(crate) standing: Standing,
    pub(crate) epoch: u32,
    pub(crate) transmit: Consumer<TRANSMIT_SLOTS>,
    pub(crate) deliveries: Producer<DELIVERY_SLOTS>,

    pub(crate) waits: Waits,
    /// Clients that may send to this one.
    pub(crate) senders: ClientSet,

    /// Bytes added to the deficit in each round, the most that can come of that, and the most descriptors
    /// taken.
    pub(crate) bytes_per_round: NonZeroU32,
    pub(crate) most_bytes: u32,
    pub(crate) messages_per_round: NonZeroU32,
    /// Bytes that this client may still have copied in this round.
    pub(crate) deficit: u32,
    /// Descriptors of this client that may still be carried or refused in this round.
    pub(crate) messages_left: u32,
    /// What its next step costs, if it could not afford that in this round; else 0.
    pub(crate) wanted: u32,
    /// How far the senders have come that share what this client offers; see `share.rs`.
    pub(crate) service: Service,

    /// After a restart of central: slots up to here were taken before, and have to be taken again.
    pub(crate) retake: Option<u32>,
    /// The target whose flow comes first when waiting sends go on.
    pub(crate) next_target: u32,
    /// The next turn takes new sends before it goes on with waiting ones.
    pub(crate) new_first: bool,
    /// The rest of a chain that is too long follows and is refused too.
    pub(crate) in_refused_chain: bool,

    pub(crate) requests: Requests,
    pub(crate) transmit_buffer: Buffer,
    pub(crate) receive_buffer: Buffer,
    pub(crate) sends: Sends,
}

impl Client {
    pub(crate) const fn new() -> Self {
        Self {
            ports: None,
            standing: Standing::Closed,
            epoch: 0,
            transmit: Consumer::new(0),
            deliveries: Producer::new(0),
            waits: Waits::NOBODY,
            senders: ClientSet::EMPTY,
            bytes_per_round: NonZeroU32::MIN,
            most_bytes: 1,
            messages_per_round: NonZeroU32::MIN,
            deficit: 0,
            messages_left: 0,
            wanted: 0,
            service: Service::NONE,
            retake: None,
            next_target: 0,
            new_first: false,
            in_refused_chain: false,
            requests: Requests::new(),
            transmit_buffer: Buffer::new(Side::Transmit),
            receive_buffer: Buffer::new(Side::Receive),
            sends: Sends::new(),
        }
    }

    /// Whether a turn of this client could do anything.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        self.standing == Standing::Open && (self.transmit.available() != 0 || !self.waits.ready().is_empty())
    }

    /// Gives the client its share of a round. Who has nothing to send saves up nothing; who could not use all
    /// of the last share, because the next piece was larger than the rest, keeps the rest.
    #[inline]
    pub(crate) fn replenish(&mut self, has_work: bool) {
        self.messages_left = self.messages_per_round.get();
        self.wanted = 0;
        self.deficit = if has_work {
            self.deficit.saturating_add(self.bytes_per_round.get()).min(self.most_bytes)
        } else {
            0
        };
    }

    /// Rounds until this client can afford the step that it could not afford in this one.
    pub(crate) const fn rounds_until_afforded(&self) -> Option<u32> {
        if self.wanted == 0 {
            return None;
        }
        Some(self.wanted.saturating_sub(self.deficit).div_ceil(self.bytes_per_round.get()))
    }

    /// Gives the client its shares of that many rounds, in which nothing happens.
    pub(crate) fn save_up(&mut self, rounds: u32) {
        let bytes = self.bytes_per_round.get().saturating_mul(rounds);
        self.deficit = self.deficit.saturating_add(bytes).min(self.most_bytes);
    }

    /// Counts message `index`, which is carried or refused, against the descriptors of this round. A chain is
    /// carried whole, even if it is more than the rest.
    #[inline]
    pub(crate) fn spend(&mut self, index: u32) {
        self.messages_left = self.messages_left.saturating_sub(self.sends.get(index).parts.into());
    }

    /// Whether the share of this round is enough for a step of this price. If not, the step is for a later
    /// round.
    #[inline]
    pub(crate) const fn can_afford(&mut self, cost: u32) -> bool {
        if self.deficit < cost {
            self.wanted = cost;
        }
        self.deficit >= cost
    }

    pub(crate) const fn buffer_mut(&mut self, side: Side) -> &mut Buffer {
        match side {
            Side::Transmit => &mut self.transmit_buffer,
            Side::Receive => &mut self.receive_buffer,
        }
    }

    /// Counts what was done for the client, where it can see it. Nobody else writes these counters.
    #[inline]
    pub(crate) fn count(&self, add: impl FnOnce(&Counters)) {
        if let Some(ports) = self.ports {
            add(&ports.into.counters);
        }
    }

    /// Whether its receive queue has a place for another delivery, as far as central knows.
    #[inline]
    pub(crate) const fn has_room(&self) -> bool {
        self.room() != 0
    }

    /// Deliveries for which its receive queue has a place, as far as central knows.
    #[inline]
    pub(crate) const fn room(&self) -> u32 {
        self.deliveries.free()
    }

    /// Publishes `settled`: all statuses for these deliveries are written. Until then no delivery is stored
    /// after them, so that a restart finds them intact.
    #[inline]
    pub(crate) fn note_settled(&self, into: &InRegion) {
        into.settled.publish(self.deliveries.next());
    }

    /// Makes the deliveries visible in the client's page, and then what its requests have come to.
    #[inline]
    pub(crate) fn show_deliveries(&mut self, into: &InRegion) {
        into.delivery_tail.publish(self.deliveries.next());
        self.requests.publish(into);
    }

    /// Says that receive request `request` is refused or withdrawn, and makes that visible. There is room:
    /// the caller looked. One answer at a time, so that a restart finds at most one, the newest delivery,
    /// whose request it has to note as over.
    pub(crate) fn answer(&mut self, ports: Ports, kind: DeliveryKind, request: u32) {
        if let Some(index) = self.deliveries.push() {
            let answer = Delivery { request, kind: kind as u8, ..Delivery::default() };
            ports.into.deliveries.store(index, answer);
            self.show_deliveries(ports.into);
            self.note_settled(ports.into);
        }
    }
}
