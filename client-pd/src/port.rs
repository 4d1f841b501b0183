//! The port: one client's end of its connection to central. This file opens it, publishes and signals.
//! `sending.rs` sends, `receiving.rs` receives, `runs.rs` sends and receives whole batches, `ends.rs` finds
//! out which sends have ended, and `held_sends.rs` keeps those that central holds while others end.

use core::fmt;

use ferry_layout::geometry::{DELIVERY_SLOTS, FRAME_BYTES, MAX_CLIENTS, POST_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{Consumer, DomainId, InRegion, OutRegion, Peer};
use ferry_platform::{Region, RegionError};

use crate::ends::Waiting;
use crate::held_sends::HeldSends;
use crate::memory::{ReceiveBuffer, ReceiveMemory, TransmitBuffer, TransmitMemory};

/// Signals central. Any closure that signals central implements it.
///
/// ```
/// use ferry_client::Doorbell;
///
/// let mut signals = 0;
/// let mut doorbell = || signals += 1; // on a platform: `runtime::notify_above(central)`
/// doorbell.ring();
/// assert_eq!(signals, 1);
/// ```
pub trait Doorbell {
    /// Signals central once.
    fn ring(&mut self);
}

impl<F: FnMut()> Doorbell for F {
    fn ring(&mut self) {
        self();
    }
}

/// The four regions of a client.
pub struct Regions {
    from_client: &'static OutRegion,
    to_client: &'static InRegion,
    transmit: TransmitMemory,
    receive: ReceiveMemory,
}

/// The regions do not fit a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// The system description does not map this region, or does not set its symbols.
    Missing(&'static str),
    /// This region is too small or misaligned for its use.
    Unfit(&'static str, RegionError),
}

impl core::error::Error for OpenError {}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(symbol) => write!(
                formatter,
                "the system description does not set the symbol `{symbol}` of this client; \
                 `ferry check` says what to add"
            ),
            Self::Unfit(symbol, error) => write!(
                formatter,
                "the region of the symbol `{symbol}` does not fit: {error}; `ferry check` says what to change"
            ),
        }
    }
}

impl Regions {
    /// The regions behind `ferry_out`, `ferry_in`, `ferry_tx` and `ferry_rx`.
    ///
    /// # Safety
    /// They are this client's regions, mapped as the system description says, and nothing else in the program
    /// accesses them. Called once.
    ///
    /// ```
    /// use ferry_client::Regions;
    /// # use ferry_testbed::runtime;
    /// // SAFETY: these are this client's regions, and this is the only place that takes them.
    /// let regions = unsafe {
    ///     Regions::new(
    ///         runtime::region!(ferry_out),
    ///         runtime::region!(ferry_in),
    ///         runtime::region!(ferry_tx),
    ///         runtime::region!(ferry_rx),
    ///     )
    /// };
    /// assert!(regions.is_ok());
    /// ```
    pub unsafe fn new(
        from_client: Option<Region>,
        to_client: Option<Region>,
        transmit: Option<Region>,
        receive: Option<Region>,
    ) -> Result<Self, OpenError> {
        let from_client = from_client.ok_or(OpenError::Missing("ferry_out"))?;
        let to_client = to_client.ok_or(OpenError::Missing("ferry_in"))?;
        let transmit = transmit.ok_or(OpenError::Missing("ferry_tx"))?;
        let receive = receive.ok_or(OpenError::Missing("ferry_rx"))?;
        for (name, region) in [("ferry_tx", transmit), ("ferry_rx", receive)] {
            let alignment = FRAME_BYTES as usize;
            if !region.base().addr().get().is_multiple_of(alignment) {
                return Err(OpenError::Unfit(name, RegionError::Misaligned { alignment }));
            }
        }
        Ok(Self {
            from_client: from_client.shared().map_err(|error| OpenError::Unfit("ferry_out", error))?,
            to_client: to_client.shared().map_err(|error| OpenError::Unfit("ferry_in", error))?,
            // SAFETY: the caller's promise, handed on.
            transmit: unsafe { TransmitMemory::new(transmit) },
            // SAFETY: the caller's promise, handed on.
            receive: unsafe { ReceiveMemory::new(receive) },
        })
    }
}

/// A port that central has not let in yet: its epoch has not begun.
pub struct Opening<D: Doorbell> {
    from_client: &'static OutRegion,
    to_client: &'static InRegion,
    epoch: u32,
    doorbell: D,
}

impl<D: Doorbell> Opening<D> {
    /// The port, if central has begun the epoch. Otherwise `self` comes back; try again when notified.
    ///
    /// ```
    /// use ferry_client::Port;
    /// # let (regions, signal_central) = ferry_testbed::stage::regions();
    /// let (mut opening, transmit, receive) = Port::open(regions, signal_central);
    /// let port = loop {
    ///     match opening.poll() {
    ///         Ok(port) => break port,
    ///         Err(again) => opening = again, // sleep until notified
    ///     }
    /// };
    /// ```
    pub fn poll(self) -> Result<Port<D>, Self> {
        if self.to_client.epoch.observe() != self.epoch {
            return Err(self);
        }
        let to_client = self.to_client;
        let peers = (0..to_client.peer_count())
            .filter(|number| to_client.directory.load::<Peer>(*number).may_send != 0);
        #[expect(clippy::cast_possible_truncation, reason = "no more than clients")]
        let held_sends = HeldSends::new(peers.count() as u32);
        Ok(Port {
            from_client: self.from_client,
            to_client: self.to_client,
            doorbell: self.doorbell,
            next_send: 0,
            oldest: 0,
            taken: 0,
            limit: held_sends.plain_limit(),
            in_flight: [const { None }; TRANSMIT_SLOTS],
            waiting: Waiting::default(),
            held_sends,
            next_post: 0,
            posts_taken: 0,
            posted: [const { None }; POST_SLOTS],
            posted_at: [0; POST_SLOTS],
            posted_for: [0; MAX_CLIENTS],
            withdrawals: 0,
            deliveries: Consumer::new(0),
            unflushed: Unflushed::default(),
        })
    }
}

/// The buffer of a send that has not ended. The port keeps it by the slot of its descriptor.
pub(crate) struct InFlight {
    pub(crate) buffer: TransmitBuffer,
    pub(crate) tag: u64,
}

/// One client's end of its connection to central.
pub struct Port<D: Doorbell> {
    pub(crate) from_client: &'static OutRegion,
    pub(crate) to_client: &'static InRegion,
    doorbell: D,
    /// Index of the next send.
    pub(crate) next_send: u32,
    /// Index of the oldest unresolved send: it is neither reaped nor in `held_sends`.
    pub(crate) oldest: u32,
    /// One past the newest send that central has taken, as far as this side knows.
    pub(crate) taken: u32,
    /// How many sends may be unresolved while none is held.
    pub(crate) limit: u32,
    pub(crate) in_flight: [Option<InFlight>; TRANSMIT_SLOTS],
    pub(crate) waiting: Waiting,
    pub(crate) held_sends: HeldSends,
    /// Index of the next receive request.
    pub(crate) next_post: u32,
    /// One past the newest request that central has taken, as far as this side knows.
    pub(crate) posts_taken: u32,
    pub(crate) posted: [Option<ReceiveBuffer>; POST_SLOTS],
    /// For each slot, the index of the request that used it last.
    pub(crate) posted_at: [u32; POST_SLOTS],
    /// For each client, an upper bound of the outstanding requests that only it may use.
    pub(crate) posted_for: [u8; MAX_CLIENTS],
    pub(crate) withdrawals: u32,
    pub(crate) deliveries: Consumer<DELIVERY_SLOTS>,
    pub(crate) unflushed: Unflushed,
}

/// What was written since the last flush. Central does not know of it yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Unflushed {
    /// A send, a window or a withdrawal. Central has to be signalled if its wake hint asks for it, because it
    /// would not look by itself before the next tick.
    pub(crate) work: bool,
    /// A posted buffer or a taken delivery. Central looks for these when it needs them. If it cannot go on
    /// without them, it asks for a signal by another hint, `wake_for_requests`.
    pub(crate) room: bool,
}

impl<D: Doorbell> Port<D> {
    /// Asks central to let this client in, at a first start or at a restart, and signals it. Returns the
    /// memory that is to be split into buffers.
    ///
    /// ```
    /// use ferry_client::Port;
    /// # let (regions, signal_central) = ferry_testbed::stage::regions();
    /// let (opening, transmit, receive) = Port::open(regions, signal_central);
    /// let to_send = transmit.split::<8>(2048);
    /// let to_receive = receive.split::<8>(2048);
    /// ```
    #[must_use]
    pub fn open(regions: Regions, mut doorbell: D) -> (Opening<D>, TransmitMemory, ReceiveMemory) {
        let Regions { from_client, to_client, transmit, receive } = regions;
        from_client.reset();
        from_client.wake.arm();
        let epoch = to_client.epoch.observe().wrapping_add(1);
        from_client.ask_for_epoch(epoch);
        doorbell.ring();
        (Opening { from_client, to_client, epoch, doorbell }, transmit, receive)
    }

    /// The running totals that central keeps about this client.
    ///
    /// ```
    /// # let (here, _) = ferry_testbed::stage::pair();
    /// # let port = here.port;
    /// assert!(port.counters().to_string().contains("sent"));
    /// ```
    #[must_use]
    pub const fn counters(&self) -> &'static ferry_layout::Counters {
        &self.to_client.counters
    }

    /// The epoch that central serves. It grows with each start of this client.
    pub(crate) fn epoch(&self) -> u32 {
        self.to_client.epoch.observe()
    }

    /// Publishes everything since the last flush and signals central at most once. There is no signal if
    /// central is awake anyway, or does not wait for what was published.
    ///
    /// ```
    /// # use ferry_client::Message;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # there.post();
    /// # let (peer, mut buffers, mut port) = (here.peer, here.transmit, here.port);
    /// port.send(peer, buffers.pop().unwrap(), 5, Message::tagged(0)).unwrap();
    /// port.send(peer, buffers.pop().unwrap(), 5, Message::tagged(1)).unwrap();
    /// port.flush(); // both, with one signal
    /// # assert!(there.take().is_some() && there.take().is_some());
    /// ```
    pub fn flush(&mut self) {
        let Unflushed { work, room } = self.unflushed;
        self.publish();
        let to_client = self.to_client;
        if (work && to_client.wake.asks_for_signal())
            || (room && to_client.wake_for_requests.asks_for_signal())
        {
            self.doorbell.ring();
        }
    }

    /// Publishes everything since the last flush without a signal. Central finds it at the next tick (r14).
    /// Returns whether there was anything to publish.
    ///
    /// ```
    /// # use ferry_client::Message;
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # there.post();
    /// # let (peer, buffer) = (here.peer, here.transmit.pop().unwrap());
    /// here.port.send(peer, buffer, 5, Message::tagged(0)).unwrap();
    /// assert!(here.port.publish());
    /// assert!(!here.port.publish());
    /// # here.ticks(1);
    /// # assert!(there.take().is_some());
    /// ```
    pub fn publish(&mut self) -> bool {
        let Unflushed { work, room } = core::mem::take(&mut self.unflushed);
        if room {
            self.from_client.delivery_head.publish(self.deliveries.next());
        }
        if work || room {
            self.from_client.post_tail.publish(self.next_post);
        }
        if work {
            self.from_client.transmit_tail.publish(self.next_send);
        }
        work || room
    }

    /// Asks central for signals and looks once more. Returns `true` if there is something to reap or receive
    /// already; then the caller must not sleep, because a signal need not come.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let mut port = here.port;
    /// loop {
    ///     while let Some(event) = port.receive() { /* use it */ }
    ///     port.flush();
    ///     if !port.arm() {
    ///         break; // sleep
    ///     }
    /// }
    /// ```
    #[must_use = "if this is true, no signal may follow: do not sleep"]
    pub fn arm(&mut self) -> bool {
        self.from_client.wake.arm();
        self.has_completion() || self.to_client.delivery_tail.observe() != self.deliveries.next()
    }

    /// What a client has taken, and what central has published. If [`arm`](Self::arm) finds something twice
    /// and these numbers are equal, the client has looked at all of it in between and left it.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let mut port = here.port;
    /// let before = port.progress();
    /// assert!(port.arm() && port.progress() == before); // something is there, and nobody has taken it
    /// port.receive();
    /// assert!(port.progress() != before);
    /// ```
    #[must_use]
    pub fn progress(&self) -> [u32; 5] {
        let to_client = self.to_client;
        [
            self.oldest,
            self.deliveries.next(),
            to_client.transmit_head.observe(),
            to_client.delivery_tail.observe(),
            to_client.ended_late.observe(),
        ]
    }

    /// Tells central that this client looks at its queues by itself and needs no signals until it calls
    /// [`arm`](Self::arm).
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let mut port = here.port;
    /// port.disarm();
    /// while port.receive().is_none() { /* do something else; nobody signals this client */ }
    /// let look_again = port.arm();
    /// ```
    pub fn disarm(&mut self) {
        self.from_client.wake.disarm();
    }

    /// The number of `peer`, in the form in which deliveries name it.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let (peer, mut port) = (here.peer, here.port);
    /// # fn domain_of<D: ferry_client::Doorbell>(
    /// #     _: &ferry_client::Port<D>, peer: &ferry_client::Peer,
    /// # ) -> Option<ferry_client::DomainId> { ferry_client::Port::<D>::domain_of(peer) }
    /// let is_from_peer = port.receive().unwrap().source() == domain_of(&port, &peer);
    /// assert!(is_from_peer);
    /// ```
    #[must_use]
    pub const fn domain_of(peer: &Peer) -> Option<DomainId> {
        DomainId::new(peer.domain)
    }
}
