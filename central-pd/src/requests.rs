//! Receive requests that central has taken from a client: its posted buffers and open windows.

use ferry_layout::geometry::{MAX_WINDOWS, POST_SLOTS};
use ferry_layout::{
    Consumer, DomainId, InRegion, OpenWindow, OutRegion, Post, PostKind, ProtocolViolation, Span,
};

use crate::table::{SlotSet, Table};

/// One posted buffer: central's checked copy of the request.
#[derive(Clone, Copy)]
struct Buffer {
    span: Span,
    /// Only this client may fill it.
    from: Option<DomainId>,
}

/// One open window.
#[derive(Clone, Copy)]
struct Window {
    /// Index of the request that opened it.
    request: u32,
    span: Span,
    from: DomainId,
}

/// What came of taking one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// There is no further request.
    Nothing,
    /// There is a buffer or window more, so sends that wait for this client may go on.
    Offered,
    /// To be answered: a request was taken back.
    Withdrawn {
        /// The request that was taken back.
        earlier: u32,
        /// The request that asked for it.
        by: u32,
    },
    /// To be answered: this request cannot be accepted.
    Refused(u32),
}

/// The receive requests of one client.
pub(crate) struct Requests {
    ring: Consumer<POST_SLOTS>,
    buffers: Table<Buffer, POST_SLOTS>,
    /// Slots whose buffer waits for a message. A buffer that a message under way has claimed is not among them.
    open: SlotSet,
    /// Requests that are over, but not released because an older one is not.
    consumed: SlotSet,
    /// Those of them that the journal has.
    noted: SlotSet,
    windows: [Option<Window>; MAX_WINDOWS],
    /// Places in `windows` whose record in the journal is out of date: bit `n` for place `n`.
    changed_windows: u32,
}

impl Requests {
    pub(crate) const fn new() -> Self {
        Self {
            ring: Consumer::new(0),
            buffers: Table::new([Buffer { span: Span::EMPTY, from: None }; POST_SLOTS]),
            open: SlotSet::EMPTY,
            consumed: SlotSet::EMPTY,
            noted: SlotSet::EMPTY,
            windows: [None; MAX_WINDOWS],
            changed_windows: 0,
        }
    }

    /// Forgets everything, at the beginning of an epoch.
    pub(crate) const fn clear(&mut self) {
        self.ring = Consumer::new(0);
        self.open = SlotSet::EMPTY;
        self.consumed = SlotSet::EMPTY;
        self.noted = SlotSet::EMPTY;
        self.windows = [None; MAX_WINDOWS];
        self.changed_windows = 0;
    }

    /// Learns from central's pages what an earlier central knew. Requests that were taken and are not over will be taken
    /// again; those that are over will be passed over. `bytes` is the size of the client's receive buffer.
    pub(crate) fn resume(&mut self, into: &InRegion, bytes: u64) {
        self.clear();
        self.ring = Consumer::new(into.post_head.observe());
        for (slot, window) in (0..).zip(&mut self.windows) {
            *window = into.journal.window(slot).and_then(|OpenWindow { request, place, length, from }| {
                Some(Window { request, span: place.span(length, bytes)?, from: DomainId::new(from)? })
            });
        }
        let oldest = self.ring.released();
        #[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
        for index in (0..POST_SLOTS as u32).map(|age| oldest.wrapping_add(age)) {
            if into.journal.is_consumed(index) {
                self.consumed.insert(index);
                self.noted.insert(index);
            }
            // Its record is stored before the note that its slot is free.
            if self.windows.iter().flatten().any(|window| window.request == index) {
                self.consumed.insert(index);
            }
        }
    }

    /// After [`resume`](Self::resume): the delivery in which a message arrived names the lowest eight bits of the index
    /// of the request that it used up. That one is over, whether or not there was time to note it.
    pub(crate) fn settle_message(&mut self, lowest_bits: u8) {
        // The request was at most one lap before what may have been released since, or is not released. Eight bits tell
        // these two laps apart.
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are what is compared")]
        let age = lowest_bits.wrapping_sub(self.ring.released() as u8);
        if usize::from(age) < POST_SLOTS {
            self.consumed.insert(self.ring.released().wrapping_add(age.into()));
        }
    }

    /// After [`resume`](Self::resume): the answer to request `by` is published, and that it took back `earlier`, if so.
    pub(crate) fn settle_answer(&mut self, by: u32, earlier: Option<u32>) {
        for index in [Some(by), earlier].into_iter().flatten() {
            if (index.wrapping_sub(self.ring.released()) as usize) < POST_SLOTS {
                self.consumed.insert(index);
            }
        }
        if let Some(earlier) = earlier {
            self.close_window(earlier);
        }
    }

    /// Learns the client's tail.
    #[inline]
    pub(crate) fn refresh(&mut self, tail: u32) -> Result<(), ProtocolViolation> {
        self.ring.refresh(tail)
    }

    /// The client's tail, as it was last seen.
    #[inline]
    pub(crate) const fn tail(&self) -> u32 {
        self.ring.tail()
    }

    /// Whether there are requests to take.
    #[inline]
    pub(crate) const fn has_new(&self) -> bool {
        self.ring.available() != 0
    }

    /// Takes the next request. `bytes` is the size of the client's receive buffer. An answer needs a free place in
    /// the client's receive queue; where there is none (`can_answer`), such a request is left for later.
    pub(crate) fn take(&mut self, out: &OutRegion, bytes: u64, can_answer: bool) -> Taken {
        // Only after a restart of central is anything over that was not taken.
        while !self.consumed.is_empty() && self.has_new() && self.consumed.contains(self.ring.next()) {
            self.ring.take();
            self.release();
        }
        if !self.has_new() {
            return Taken::Nothing;
        }
        let index = self.ring.next();
        let request = self.check(index, out.posts.load(index), bytes);
        if !can_answer && matches!(request, Request::Withdraw(_) | Request::Unacceptable) {
            return Taken::Nothing;
        }
        self.ring.take();
        match request {
            Request::Buffer(buffer) => {
                self.buffers[index] = buffer;
                self.open.insert(index);
                Taken::Offered
            }
            Request::Window(slot, window) => {
                self.set_window(slot, Some(window));
                self.consume(index);
                Taken::Offered
            }
            Request::Withdraw(earlier) => {
                if !self.close_window(earlier) {
                    self.open.remove(earlier);
                    self.consume(earlier);
                }
                self.consume(index);
                Taken::Withdrawn { earlier, by: index }
            }
            Request::Unacceptable => {
                self.consume(index);
                Taken::Refused(index)
            }
        }
    }

    fn check(&self, index: u32, post: Post, bytes: u64) -> Request {
        let from = DomainId::new(post.from);
        let span = post.place.span(post.length, bytes).filter(|span| span.length() > 0);
        match (PostKind::from_number(post.kind), span, from) {
            (Some(PostKind::Buffer), Some(span), _) if from.is_some() || post.from == Post::ANYONE => {
                Request::Buffer(Buffer { span, from })
            }
            (Some(PostKind::Window), Some(span), Some(from)) => {
                let free =
                    (0..).zip(&self.windows).find_map(|(slot, window)| window.is_none().then_some(slot));
                free.map_or(Request::Unacceptable, |slot| {
                    Request::Window(slot, Window { request: index, span, from })
                })
            }
            (Some(PostKind::Withdraw), ..) if self.can_withdraw(post.place.frame) => {
                Request::Withdraw(post.place.frame)
            }
            _ => Request::Unacceptable,
        }
    }

    fn can_withdraw(&self, earlier: u32) -> bool {
        let age = earlier.wrapping_sub(self.ring.released());
        let is_open =
            age < self.ring.next().wrapping_sub(self.ring.released()) && self.open.contains(earlier);
        is_open || self.windows.iter().flatten().any(|window| window.request == earlier)
    }

    /// Closes the window that request `earlier` opened, if it is open.
    fn close_window(&mut self, earlier: u32) -> bool {
        let is_it = |window: &Option<Window>| window.is_some_and(|window| window.request == earlier);
        let place = (0..).zip(&self.windows).find_map(|(slot, window)| is_it(window).then_some(slot));
        if let Some(slot) = place {
            self.set_window(slot, None);
        }
        place.is_some()
    }

    fn set_window(&mut self, slot: u32, window: Option<Window>) {
        if let Some(place) = self.windows.get_mut(slot as usize) {
            *place = window;
            self.changed_windows |= 1 << (slot % u32::BITS);
        }
    }

    /// The oldest open buffer that `source` may fill.
    #[inline]
    pub(crate) fn find(&self, source: DomainId) -> Option<(u32, Span)> {
        self.open.from(self.ring.released()).find_map(|index| {
            let buffer = &self.buffers[index];
            buffer.from.is_none_or(|only| only == source).then_some((index, buffer.span))
        })
    }

    /// Sets an open buffer aside for a message that is under way.
    #[inline]
    pub(crate) const fn claim(&mut self, index: u32) {
        self.open.remove(index);
    }

    /// Opens a claimed buffer again, because the message will not arrive.
    pub(crate) const fn give_back(&mut self, index: u32) {
        self.open.insert(index);
    }

    /// Request `index` is over: its slot is the client's again as soon as all older ones are.
    #[inline]
    pub(crate) const fn consume(&mut self, index: u32) {
        if self.consumed.is_empty() && index == self.ring.released() {
            self.ring.release(1);
        } else {
            self.consumed.insert(index);
            self.release();
        }
    }

    /// Whether the client holds a window open for `source` that covers `place`.
    #[inline]
    pub(crate) fn has_window(&self, source: DomainId, place: Span) -> bool {
        self.windows.iter().flatten().any(|window| window.from == source && window.span.covers(place))
    }

    /// Releases the oldest requests as far as they are over.
    const fn release(&mut self) {
        let oldest = self.ring.released();
        self.ring.release(self.consumed.run_from(oldest));
        let released = self.ring.released().wrapping_sub(oldest);
        self.consumed.remove_run(oldest, released);
        self.noted.remove_run(oldest, released);
    }

    /// Shows the client how far its requests are released, and notes the rest in the journal: first the windows, then
    /// which requests are over, then the index that hides those notes. Called when everything that these requests
    /// have led to is published.
    #[inline]
    pub(crate) fn publish(&mut self, into: &InRegion) {
        if self.changed_windows != 0 {
            self.note_windows(into);
        }
        if self.consumed != self.noted {
            for index in self.consumed.without(self.noted).from(self.ring.released()) {
                into.journal.consume(index);
            }
            self.noted = self.consumed;
        }
        into.post_head.publish(self.ring.released());
    }

    fn note_windows(&mut self, into: &InRegion) {
        let changed = core::mem::take(&mut self.changed_windows);
        for (slot, window) in (0..).zip(&self.windows) {
            if changed & (1 << slot) != 0 {
                let record = window.map(|Window { request, span, from }| OpenWindow {
                    request,
                    place: span.address(),
                    length: span.length(),
                    from: from.number(),
                });
                into.journal.set_window(slot, record);
            }
        }
    }
}

/// A request after the check.
enum Request {
    Buffer(Buffer),
    /// With its place among the windows.
    Window(u32, Window),
    Withdraw(u32),
    Unacceptable,
}
