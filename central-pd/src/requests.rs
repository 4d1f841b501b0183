//! Receive requests that central has taken from a client: its posted buffers and open windows.
//!
//! A request keeps its slot of the ring until it is over, however long that takes, and the ring goes on
//! without it. When the ring comes round to a slot whose request central still holds, central passes over
//! that index. So no request waits for an older one.

use core::mem::offset_of;

use ferry_layout::geometry::{MAX_WINDOWS, POST_SLOTS};
use ferry_layout::{Consumer, DomainId, InRegion, OutRegion, Post, PostKind, ProtocolViolation, Span};

use crate::inspections::Inspections;
use crate::offers::{Offers, RING, buffer_for_anyone};
use crate::slots::SlotSet;

/// The receive requests of one client. The fields lie in memory in this order.
#[repr(C)]
pub(crate) struct Requests {
    ring: Consumer<POST_SLOTS>,
    /// None of the three sets that follow has a member, so nothing is on offer but what is still in the ring.
    /// This may be false although they are empty; [`publish`](Self::publish) finds that out.
    holds_none: bool,
    /// A held request may be withdrawn although `withdrawals` has not changed. For example, a claimed buffer
    /// is open again, and the client has withdrawn it meanwhile.
    look_for_withdrawn: bool,
    /// A request or a withdrawal must be answered, and that could not be done yet.
    pub(crate) unanswered: bool,
    /// How often the client had withdrawn a request when central last looked for withdrawn requests.
    withdrawals: u32,
    /// Slots whose request was taken and is not over: open, or claimed by a message under way.
    held: SlotSet,
    /// What the journal says about `held`.
    noted: SlotSet,
    /// Only after a restart of central: slots whose next entry in the ring is no new request.
    over: SlotSet,
    offers: Offers,
}

impl Requests {
    /// The fields before this offset are read in every turn.
    pub(crate) const BYTES_OF_EVERY_TURN: usize = offset_of!(Self, held);

    pub(crate) const fn new() -> Self {
        Self {
            ring: Consumer::new(0),
            holds_none: true,
            held: SlotSet::EMPTY,
            noted: SlotSet::EMPTY,
            over: SlotSet::EMPTY,
            withdrawals: 0,
            look_for_withdrawn: false,
            unanswered: false,
            offers: Offers::new(),
        }
    }

    /// Forgets everything, at the beginning of an epoch.
    pub(crate) fn clear(&mut self) {
        self.ring = Consumer::new(0);
        self.holds_none = true;
        self.held = SlotSet::EMPTY;
        self.noted = SlotSet::EMPTY;
        self.over = SlotSet::EMPTY;
        self.withdrawals = 0;
        self.look_for_withdrawn = false;
        self.unanswered = false;
        self.offers.clear();
    }

    /// Learns from central's pages which requests an earlier central held. Opens them again as their entries
    /// say now. `bytes` is the size of the client's receive buffer. If an entry is no request any more, the
    /// client has overwritten it against the protocol. Such a request is forgotten.
    pub(crate) fn resume(
        &mut self,
        from_client: &OutRegion,
        to_client: &InRegion,
        bytes: u64,
        guard: &mut Inspections,
    ) {
        self.clear();
        self.ring = Consumer::new(to_client.post_head.observe());
        self.noted = SlotSet::from_words(to_client.journal.open());
        self.holds_none = false;
        self.look_for_withdrawn = true;
        let next = self.ring.next();
        // The next index of a held slot may be published already. Then its entry is still this request, or
        // the client has passed over it. In both cases it is no new request.
        let published = from_client.post_tail.observe().wrapping_sub(next);
        for index in self.noted.from(next.wrapping_sub(RING)) {
            let post: Post = from_client.posts.load(index);
            let request = self.check(&Post { marks: 0, ..post }, bytes, guard);
            if self.open(index, request, guard) && index.wrapping_add(RING).wrapping_sub(next) < published {
                self.over.insert(index);
            }
        }
    }

    /// Called after [`resume`](Self::resume): a delivery says that request `index` is over. The journal may
    /// not say so yet. If the request was taken by a central before the last one, only the slot of `index` is
    /// right.
    pub(crate) fn settle(&mut self, index: u32, guard: &mut Inspections) {
        if self.held.contains(index) {
            guard.withdraw(self.offers.span(index));
        }
        self.offers.close(index);
        self.held.remove(index);
        if index.wrapping_sub(self.ring.next()) < RING {
            self.over.insert(index);
        } else {
            // The slot was free again, so its next entry may be a new request. If it is none, the client has
            // marked it.
            self.over.remove(index);
        }
    }

    /// Called after [`settle`](Self::settle): takes what the client has published, so that the post head
    /// passes the requests that are over. Once the deliveries are settled, nothing else tells the next
    /// central about these.
    pub(crate) fn catch_up(&mut self, from_client: &OutRegion, bytes: u64, guard: &mut Inspections) {
        // If the tail is impossible, the first look finds that out.
        if self.refresh(from_client.post_tail.observe()).is_ok() {
            self.take(from_client, bytes, guard, false, &mut false);
        }
    }

    /// Learns the client's post tail. An impossible tail is an error.
    #[inline]
    pub(crate) fn refresh(&mut self, tail: u32) -> Result<(), ProtocolViolation> {
        self.ring.refresh(tail)
    }

    /// The client's post tail, as it was last seen.
    #[inline]
    pub(crate) const fn tail(&self) -> u32 {
        self.ring.tail()
    }

    /// Whether there are requests to take.
    #[inline]
    pub(crate) const fn has_new(&self) -> bool {
        self.ring.available() != 0
    }

    /// Whether the client may have withdrawn a request since the last look for withdrawn requests.
    #[inline]
    pub(crate) fn may_have_withdrawn(&self, from_client: &OutRegion) -> bool {
        self.look_for_withdrawn || from_client.withdrawals.observe() != self.withdrawals
    }

    /// Whether a held request may be withdrawn, although the client has withdrawn none since the last look
    /// for withdrawn requests.
    pub(crate) const fn has_to_look_for_withdrawn(&self) -> bool {
        self.look_for_withdrawn
    }

    /// Takes new requests up to the first that must be refused, and returns the index of that one. Sets
    /// `offered` if there was a buffer or window among them. `bytes` is the size of the client's receive
    /// buffer, and `guard` what it has to inspect. If the caller must not answer (`may_answer` is false),
    /// the request to refuse is left in the ring for later, and the result is `None`.
    pub(crate) fn take(
        &mut self,
        from_client: &OutRegion,
        bytes: u64,
        guard: &mut Inspections,
        may_answer: bool,
        offered: &mut bool,
    ) -> Option<u32> {
        let passes = !self.held.is_empty() || !self.over.is_empty();
        let mut buffers = 0;
        loop {
            let index = self.ring.next().wrapping_add(buffers);
            if buffers == self.ring.available() {
                *offered |= self.open_to_all(buffers);
                return None;
            }
            if passes && (self.held.contains(index) || self.over.contains(index)) {
                *offered |= self.open_to_all(buffers);
                buffers = 0;
                self.over.remove(index);
                self.ring.take_run(1);
                continue;
            }
            let post: Post = from_client.posts.load(index);
            if let Some(span) = buffer_for_anyone(&post, bytes).or_else(|| guard.offer_for_anyone(&post)) {
                self.offers.put(index, span);
                buffers += 1;
                continue;
            }
            *offered |= self.open_to_all(buffers);
            buffers = 0;
            if post.marks & Post::PASSED_OVER != 0 {
                self.ring.take_run(1);
                continue;
            }
            let request = self.check(&post, bytes, guard);
            let is_request = request.is_some();
            if !is_request && !may_answer {
                self.unanswered = true;
                return None;
            }
            self.ring.take_run(1);
            if !self.open(index, request, guard) {
                return Some(index);
            }
            // Central may have read the count of withdrawals before it saw this request.
            self.look_for_withdrawn |= post.marks & Post::WITHDRAWN != 0;
            *offered = true;
        }
    }

    /// Closes one open request that the client has withdrawn, and returns its index. `None` if there is none.
    pub(crate) fn take_withdrawn(&mut self, from_client: &OutRegion, guard: &mut Inspections) -> Option<u32> {
        self.withdrawals = from_client.withdrawals.observe();
        self.look_for_withdrawn = false;
        let withdrawn = self.held.from(self.ring.next().wrapping_sub(RING)).find(|index| {
            let post: Post = from_client.posts.load(*index);
            post.marks & Post::WITHDRAWN != 0 && self.offers.is_open(*index)
        })?;
        // There may be more withdrawn requests.
        self.look_for_withdrawn = true;
        self.offers.close(withdrawn);
        self.held.remove(withdrawn);
        guard.withdraw(self.offers.span(withdrawn));
        Some(withdrawn)
    }

    /// Opens the next `count` requests, which are buffers for anyone and already recorded. Returns whether
    /// there were any.
    #[inline]
    fn open_to_all(&mut self, count: u32) -> bool {
        self.holds_none &= count == 0;
        self.offers.open_to_all(self.ring.next(), count);
        self.held.insert_run(self.ring.next(), count);
        self.ring.take_run(count);
        count != 0
    }

    /// Opens request `index`. Returns false if it is none that can be opened.
    fn open(&mut self, index: u32, request: Option<Request>, guard: &mut Inspections) -> bool {
        let span = match request {
            Some(Request::ForAnyone(span)) => {
                self.offers.put(index, span);
                self.offers.open_to_all(index, 1);
                span
            }
            Some(Request::Buffer(span, only)) => {
                self.offers.open_to_one(index, span, only);
                span
            }
            Some(Request::Window(span, from)) => {
                self.offers.open_window(index, span, from);
                span
            }
            None => return false,
        };
        guard.offer(span);
        self.held.insert(index);
        self.holds_none = false;
        true
    }

    /// What a request asks for. `None` if it must be refused.
    fn check(&self, post: &Post, bytes: u64, guard: &Inspections) -> Option<Request> {
        if post.marks & !Post::WITHDRAWN != 0 {
            return None;
        }
        let span = post.place.span(post.length, bytes).filter(|span| span.length() > 0);
        let span = span.or_else(|| self.check_of_guard(post, guard))?;
        match (PostKind::from_number(post.kind)?, DomainId::new(post.from)) {
            (PostKind::Buffer, Some(only)) => Some(Request::Buffer(span, only)),
            (PostKind::Buffer, None) if post.from == Post::ANYONE => Some(Request::ForAnyone(span)),
            (PostKind::Window, Some(from)) if self.offers.windows(from) < MAX_WINDOWS => {
                Some(Request::Window(span, from))
            }
            _ => None,
        }
    }

    /// The buffer that a request of a guard asks for. It shares no byte with what is pinned or open: what a
    /// guard looks at is not written again before the message has ended. `None` for any other client.
    #[cold]
    fn check_of_guard(&self, post: &Post, guard: &Inspections) -> Option<Span> {
        guard.buffer(post.place, post.length, self.held.from(0).map(|index| self.offers.span(index)))
    }

    /// The open buffer that `source` fills next: the oldest one for `source` alone, or else the oldest one
    /// for anyone.
    #[inline]
    pub(crate) fn find(&self, source: DomainId) -> Option<(u32, Span)> {
        let (index, count) = self.open_run(source);
        (count != 0).then(|| (index, self.offers.span(index)))
    }

    /// The open buffer that `source` fills next, and how many open buffers it can fill, at least, from that
    /// one on without a gap.
    #[inline]
    pub(crate) fn open_run(&self, source: DomainId) -> (u32, u32) {
        if self.holds_none {
            return (self.ring.next(), 0);
        }
        self.offers.first_run(source, self.ring.next().wrapping_sub(RING))
    }

    /// Open buffers that anyone may fill.
    pub(crate) const fn open_to_anyone(&self) -> u32 {
        self.offers.open_to_anyone()
    }

    /// The bytes of open buffer `index`.
    #[inline]
    pub(crate) fn span(&self, index: u32) -> Span {
        self.offers.span(index)
    }

    /// The requests that can be used at once, without being taken first, if they are [buffers for
    /// anyone](buffer_for_anyone): the index of the first, and how many there are at most.
    #[inline(always)]
    pub(crate) fn fresh_run(&self) -> (u32, u32) {
        let next = self.ring.next();
        let available = self.ring.available();
        (next, if self.holds_none { available } else { available.min(self.unheld_run(next)) })
    }

    #[inline(never)]
    fn unheld_run(&self, next: u32) -> u32 {
        if self.over.is_empty() { self.held.gap_from(next) } else { 0 }
    }

    /// Notes that the next `count` requests have been used at once.
    #[inline]
    pub(crate) const fn use_fresh(&mut self, count: u32) {
        self.ring.take_to(self.ring.next().wrapping_add(count));
    }

    /// Notes that `source` has filled `count` open buffers from `index` on.
    #[inline]
    pub(crate) fn consume_run(&mut self, source: DomainId, index: u32, count: u32) {
        self.offers.close_run(source, index, count);
        self.held.remove_run(index, count);
    }

    /// Sets an open buffer aside for a message that is under way.
    #[inline]
    pub(crate) fn claim(&mut self, index: u32) {
        self.offers.close(index);
    }

    /// Opens a claimed buffer again, because the message will not arrive.
    pub(crate) fn give_back(&mut self, index: u32) {
        self.offers.open(index);
        self.look_for_withdrawn = true;
    }

    /// Notes that open buffer `index` is filled, without being claimed before.
    pub(crate) fn use_at_once(&mut self, index: u32) {
        self.offers.close(index);
        self.held.remove(index);
    }

    /// Notes that claimed buffer `index` is filled.
    #[inline]
    pub(crate) const fn consume(&mut self, index: u32) {
        self.held.remove(index);
    }

    /// Whether the client holds a window open for `source` that covers `place`.
    #[inline]
    pub(crate) fn has_window(&self, source: DomainId, place: Span) -> bool {
        self.offers.has_window(source, place)
    }

    /// Notes in the journal which requests central holds, and then publishes the post head. Called when
    /// everything that these requests have led to is published.
    #[inline]
    pub(crate) fn publish(&mut self, to_client: &InRegion) {
        if !self.holds_none {
            self.note_held(to_client);
        }
        to_client.post_head.publish(self.ring.next());
    }

    #[inline(never)]
    fn note_held(&mut self, to_client: &InRegion) {
        if self.held != self.noted {
            to_client.journal.set_open(self.held.words(), self.noted.words());
            self.noted = self.held;
        }
        self.holds_none = self.held.is_empty() && self.over.is_empty();
    }
}

/// A request that has been checked.
#[derive(Clone, Copy)]
enum Request {
    ForAnyone(Span),
    /// For one client.
    Buffer(Span, DomainId),
    Window(Span, DomainId),
}

#[cfg(test)]
mod tests;
