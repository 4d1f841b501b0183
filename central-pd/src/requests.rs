//! Receive requests that central has taken from a client: its posted buffers and open windows.

use ferry_layout::geometry::{MAX_WINDOWS, POST_SLOTS};
use ferry_layout::{
    Consumer, DomainId, InRegion, OpenWindow, OutRegion, Post, PostKind, ProtocolViolation, Span,
};

use crate::offers::Offers;
use crate::slots::SlotSet;

/// One open window.
#[derive(Clone, Copy)]
struct Window {
    /// Index of the request that opened it.
    request: u32,
    span: Span,
    from: DomainId,
}

/// A request that was taken, other than a buffer for anyone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// A buffer or window more is open.
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
#[repr(C)]
pub(crate) struct Requests {
    ring: Consumer<POST_SLOTS>,
    /// Requests that are over, but not released because an older one is not.
    consumed: SlotSet,
    /// Those of them that the journal has.
    noted: SlotSet,
    windows: [Option<Window>; MAX_WINDOWS],
    /// Places in `windows` whose record in the journal is out of date: bit `n` for place `n`.
    changed_windows: u32,
    offers: Offers,
}

impl Requests {
    pub(crate) const fn new() -> Self {
        Self {
            ring: Consumer::new(0),
            consumed: SlotSet::EMPTY,
            noted: SlotSet::EMPTY,
            windows: [None; MAX_WINDOWS],
            changed_windows: 0,
            offers: Offers::new(),
        }
    }

    /// Forgets everything, at the beginning of an epoch.
    pub(crate) fn clear(&mut self) {
        self.ring = Consumer::new(0);
        self.offers.clear();
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

    /// Takes new requests up to the first that has to be answered, and notes in `offered` whether there was a buffer or window
    /// among them. `bytes` is the size of the client's receive buffer. An answer needs a free place in the client's
    /// receive queue; where there is none (`can_answer`), such a request is left for later.
    pub(crate) fn take(
        &mut self,
        out: &OutRegion,
        bytes: u64,
        can_answer: bool,
        offered: &mut bool,
    ) -> Option<Taken> {
        // Only after a restart of central is anything over that was not taken.
        let resumed =
            !self.consumed.is_empty() && self.consumed.touches_run(self.ring.next(), self.ring.available());
        let mut buffers = 0;
        let (index, post) = loop {
            let index = self.ring.next().wrapping_add(buffers);
            if buffers == self.ring.available() {
                self.open_to_all(buffers, offered);
                return None;
            }
            if resumed && self.consumed.contains(index) {
                self.open_to_all(buffers, offered);
                buffers = 0;
                self.ring.take_run(1);
                self.release();
                continue;
            }
            let post: Post = out.posts.load(index);
            let Some(span) = buffer_for_anyone(&post, bytes) else { break (index, post) };
            self.offers.put(index, span);
            buffers += 1;
        };
        self.open_to_all(buffers, offered);
        let request = self.check(index, post, bytes);
        if !can_answer && matches!(request, Request::Withdraw(_) | Request::Unacceptable) {
            return None;
        }
        self.ring.take_run(1);
        Some(match request {
            Request::Buffer(span, only) => {
                self.offers.open_to_one(index, span, only);
                *offered = true;
                Taken::Offered
            }
            Request::Window(slot, window) => {
                self.consume(index);
                self.set_window(slot, Some(window));
                *offered = true;
                Taken::Offered
            }
            Request::Withdraw(earlier) => {
                self.consume(index);
                if !self.close_window(earlier) {
                    self.offers.close(earlier);
                    self.consume(earlier);
                }
                Taken::Withdrawn { earlier, by: index }
            }
            Request::Unacceptable => {
                self.consume(index);
                Taken::Refused(index)
            }
        })
    }

    /// The next `count` requests are buffers for anyone, and written down.
    #[inline]
    fn open_to_all(&mut self, count: u32, offered: &mut bool) {
        self.offers.open_to_all(self.ring.next(), count);
        self.ring.take_run(count);
        *offered |= count != 0;
    }

    /// What a request asks for.
    fn check(&self, index: u32, post: Post, bytes: u64) -> Request {
        let from = DomainId::new(post.from);
        let span = post.place.span(post.length, bytes).filter(|span| span.length() > 0);
        match (PostKind::from_number(post.kind), span, from) {
            (Some(PostKind::Buffer), Some(span), Some(from)) => Request::Buffer(span, from),
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
            age < self.ring.next().wrapping_sub(self.ring.released()) && self.offers.is_open(earlier);
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
        let (index, count) = self.open_run(source);
        (count != 0).then(|| (index, self.offers.span(index)))
    }

    /// The oldest open buffer that `source` may fill, and how many such there are, at least, from it on without a gap.
    #[inline]
    pub(crate) fn open_run(&self, source: DomainId) -> (u32, u32) {
        self.offers.first_run(source, self.ring.released())
    }

    /// The bytes of open buffer `index`.
    #[inline]
    pub(crate) fn span(&self, index: u32) -> Span {
        self.offers.span(index)
    }

    /// Requests that can be used at once, without being taken first, if they are [buffers for anyone](buffer_for_anyone): where
    /// they begin, and how many there are at most.
    #[inline]
    pub(crate) fn fresh_run(&self) -> (u32, u32) {
        let plain = self.consumed.is_empty();
        (self.ring.next(), if plain { self.ring.available() } else { 0 })
    }

    /// New requests, `count` of them, have been used at once.
    #[inline]
    pub(crate) const fn use_fresh(&mut self, count: u32) {
        let first = self.ring.next();
        self.ring.take_to(first.wrapping_add(count));
        self.end_run(first, count);
    }

    /// Open buffers, `count` from `index` on, have been filled by `source`.
    #[inline]
    pub(crate) fn consume_run(&mut self, source: DomainId, index: u32, count: u32) {
        self.offers.close_run(source, index, count);
        self.end_run(index, count);
    }

    /// Sets an open buffer aside for a message that is under way.
    #[inline]
    pub(crate) fn claim(&mut self, index: u32) {
        self.offers.close(index);
    }

    /// Opens a claimed buffer again, because the message will not arrive.
    pub(crate) fn give_back(&mut self, index: u32) {
        self.offers.open(index);
    }

    /// Request `index` is over: its slot is the client's again as soon as all older ones are.
    #[inline]
    pub(crate) const fn consume(&mut self, index: u32) {
        self.end_run(index, 1);
    }

    /// Requests, `count` from `index` on, are over.
    #[inline]
    const fn end_run(&mut self, index: u32, count: u32) {
        if self.consumed.is_empty() && index == self.ring.released() {
            self.ring.release_to(index.wrapping_add(count));
        } else {
            self.consumed.insert_run(index, count);
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
        // What is noted is over, so if nothing is over, nothing is to be noted.
        if self.changed_windows != 0 || !self.consumed.is_empty() {
            self.note(into);
        }
        into.post_head.publish(self.ring.released());
    }

    #[inline(never)]
    fn note(&mut self, into: &InRegion) {
        self.note_windows(into);
        for index in self.consumed.without(&self.noted).from(self.ring.released()) {
            into.journal.consume(index);
        }
        self.noted = self.consumed;
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

/// The buffer that `post` offers to anyone, in a receive buffer of `bytes` bytes, if that is what it does.
#[inline]
pub(crate) fn buffer_for_anyone(post: &Post, bytes: u64) -> Option<Span> {
    if post.length == 0 || !post.is_for_anyone() {
        return None;
    }
    post.place.span(post.length, bytes)
}

/// A request after the check.
enum Request {
    /// For one client; those for anyone are taken before it comes to a request.
    Buffer(Span, DomainId),
    /// With its place among the windows.
    Window(u32, Window),
    Withdraw(u32),
    Unacceptable,
}
