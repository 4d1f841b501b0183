//! What central knows of one client.

use ferry_layout::geometry::{DELIVERY_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{Consumer, Delivery, DeliveryKind, InRegion, OutRegion, Producer, Standing};

use crate::buffer::{Buffer, Side};
use crate::requests::Requests;
use crate::send::Sends;
use crate::table::ClientSet;

/// The pages that central and one client share, as central maps them.
#[derive(Clone, Copy)]
pub struct Ports {
    /// `<client>_out`: central reads.
    pub out: &'static OutRegion,
    /// `<client>_in`: central writes.
    pub into: &'static InRegion,
}

/// One client. Exists for every number a system can have; without [`Ports`] it is not part of this system.
pub(crate) struct Client {
    pub(crate) ports: Option<Ports>,
    pub(crate) standing: Standing,
    pub(crate) epoch: u32,

    pub(crate) transmit: Consumer<TRANSMIT_SLOTS>,
    pub(crate) sends: Sends,
    /// The rest of a chain that is too long follows and is refused too.
    pub(crate) in_refused_chain: bool,
    /// After a restart of central: slots up to here were taken before, and have to be taken again.
    pub(crate) retake: Option<u32>,
    pub(crate) requests: Requests,
    pub(crate) deliveries: Producer<DELIVERY_SLOTS>,

    pub(crate) transmit_buffer: Buffer,
    pub(crate) receive_buffer: Buffer,

    /// Targets for which sends of this client wait.
    pub(crate) waits_for: ClientSet,
    /// Those of them that may have become able to take one.
    pub(crate) ready: ClientSet,
    /// Sources whose sends wait for this client.
    pub(crate) awaited_by: ClientSet,

    /// The next turn takes new sends before it goes on with waiting ones.
    pub(crate) new_first: bool,
    /// The target whose flow comes first when waiting sends go on.
    pub(crate) next_target: u32,

    /// Bytes added to the deficit in each round, and the most descriptors taken.
    pub(crate) bytes_per_round: u32,
    pub(crate) messages_per_round: u32,
    /// Bytes that this client may still have copied in this round.
    pub(crate) deficit: u32,
    /// Descriptors that may still be taken from it in this round.
    pub(crate) messages_left: u32,

    pub(crate) tally: Tally,
}

/// Counts since the counters in shared memory were last brought up to date.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) sent_messages: u32,
    pub(crate) received_messages: u32,
    pub(crate) refused: u32,
    pub(crate) maps: u32,
    pub(crate) unmaps: u32,
    pub(crate) signals: u32,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
}

impl Client {
    pub(crate) const fn new() -> Self {
        Self {
            ports: None,
            standing: Standing::Closed,
            epoch: 0,
            transmit: Consumer::new(0),
            sends: Sends::new(),
            in_refused_chain: false,
            retake: None,
            requests: Requests::new(),
            deliveries: Producer::new(0),
            transmit_buffer: Buffer::new(Side::Transmit),
            receive_buffer: Buffer::new(Side::Receive),
            waits_for: ClientSet::EMPTY,
            ready: ClientSet::EMPTY,
            awaited_by: ClientSet::EMPTY,
            new_first: false,
            next_target: 0,
            bytes_per_round: 1,
            messages_per_round: 1,
            deficit: 0,
            messages_left: 0,
            tally: Tally::new(),
        }
    }

    pub(crate) const fn buffer_mut(&mut self, side: Side) -> &mut Buffer {
        match side {
            Side::Transmit => &mut self.transmit_buffer,
            Side::Receive => &mut self.receive_buffer,
        }
    }

    /// Whether its receive queue has a place for another delivery, as far as central knows. One slot always stays
    /// unused, so that what is stored and not yet published never overwrites the newest delivery: a restart begins there.
    #[inline]
    pub(crate) const fn has_room(&self) -> bool {
        self.deliveries.free() > 1
    }

    /// Whether its receive queue is full and something waits for a place in it.
    pub(crate) const fn lacks_room(&self) -> bool {
        !self.has_room() && (self.requests.has_new() || !self.awaited_by.is_empty())
    }

    /// Answers receive request `by`, which is about request `about`, and makes that visible. There is room: the caller
    /// looked. One answer at a time, so that a restart finds at most one, the newest delivery, whose request it has
    /// to note as over.
    pub(crate) fn answer(&mut self, ports: Ports, kind: DeliveryKind, about: u32, by: u32) {
        if let Some(index) = self.deliveries.push() {
            let answer = Delivery {
                tag: u64::from(about),
                sequence: u64::from(by),
                kind: kind as u8,
                ..Delivery::default()
            };
            ports.into.deliveries.store(index, answer);
            ports.into.delivery_tail.publish(self.deliveries.next());
            self.requests.publish(ports.into);
        }
    }
}

impl Tally {
    const fn new() -> Self {
        Self {
            sent_messages: 0,
            received_messages: 0,
            refused: 0,
            maps: 0,
            unmaps: 0,
            signals: 0,
            sent_bytes: 0,
            received_bytes: 0,
        }
    }

    /// Adds everything to the counters that the client can read, and begins anew.
    pub(crate) fn publish(&mut self, into: &InRegion) {
        let counters = &into.counters;
        for (counter, count) in [
            (&counters.sent_messages, u64::from(self.sent_messages)),
            (&counters.sent_bytes, self.sent_bytes),
            (&counters.received_messages, u64::from(self.received_messages)),
            (&counters.received_bytes, self.received_bytes),
            (&counters.refused, u64::from(self.refused)),
            (&counters.maps, u64::from(self.maps)),
            (&counters.unmaps, u64::from(self.unmaps)),
            (&counters.signals, u64::from(self.signals)),
        ] {
            if count != 0 {
                counter.add(count);
            }
        }
        *self = Self::new();
    }
}
