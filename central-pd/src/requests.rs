//! Receive requests that central has taken from a client: its posted buffers and open windows.

use ferry_layout::geometry::{MAX_WINDOWS, POST_SLOTS};
use ferry_layout::{Consumer, DomainId, OutRegion, Post, PostKind, ProtocolViolation, Span};
use heapless::Vec;

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
    /// To be answered: this request was taken back.
    Withdrawn(u32),
    /// To be answered: this request cannot be accepted.
    Refused(u32),
}

/// The receive requests of one client.
pub(crate) struct Requests {
    ring: Consumer<POST_SLOTS>,
    buffers: Table<Buffer, POST_SLOTS>,
    /// Slots whose buffer waits for a message.
    open: SlotSet,
    /// Slots that are not the client's yet: open, or claimed by a message under way.
    held: SlotSet,
    windows: Vec<Window, MAX_WINDOWS>,
}

impl Requests {
    pub(crate) const fn new() -> Self {
        Self {
            ring: Consumer::new(0),
            buffers: Table::new([Buffer { span: Span::EMPTY, from: None }; POST_SLOTS]),
            open: SlotSet::EMPTY,
            held: SlotSet::EMPTY,
            windows: Vec::new(),
        }
    }

    /// Forgets everything, at the beginning of an epoch.
    pub(crate) fn clear(&mut self) {
        self.ring = Consumer::new(0);
        self.open = SlotSet::EMPTY;
        self.held = SlotSet::EMPTY;
        self.windows.clear();
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

    /// Oldest request whose slot is still in use, for the client to see.
    #[inline]
    pub(crate) const fn released(&self) -> u32 {
        self.ring.released()
    }

    /// Takes the next request. `bytes` is the size of the client's receive buffer. An answer needs a free place in
    /// the client's receive queue; where there is none (`can_answer`), such a request is left for later.
    pub(crate) fn take(&mut self, out: &OutRegion, bytes: u64, can_answer: bool) -> Taken {
        if self.ring.available() == 0 {
            return Taken::Nothing;
        }
        let index = self.ring.next();
        let request = self.check(index, out.posts.load(index), bytes);
        if !can_answer && matches!(request, Request::Withdraw(_) | Request::Unacceptable) {
            return Taken::Nothing;
        }
        self.ring.take();
        let taken = match request {
            Request::Buffer(buffer) => {
                self.buffers[index] = buffer;
                self.open.insert(index);
                self.held.insert(index);
                Taken::Offered
            }
            // There is room: `check` looked.
            Request::Window(window) => {
                self.windows.push(window).map_or(Taken::Refused(index), |()| Taken::Offered)
            }
            Request::Withdraw(earlier) => {
                self.open.remove(earlier);
                self.held.remove(earlier);
                self.windows.retain(|window| window.request != earlier);
                Taken::Withdrawn(earlier)
            }
            Request::Unacceptable => Taken::Refused(index),
        };
        self.release();
        taken
    }

    fn check(&self, index: u32, post: Post, bytes: u64) -> Request {
        let from = DomainId::new(post.from);
        let span = post.place.span(post.length, bytes).filter(|span| span.length() > 0);
        match (PostKind::from_number(post.kind), span, from) {
            (Some(PostKind::Buffer), Some(span), _) if from.is_some() || post.from == Post::ANYONE => {
                Request::Buffer(Buffer { span, from })
            }
            (Some(PostKind::Window), Some(span), Some(from)) if !self.windows.is_full() => {
                Request::Window(Window { request: index, span, from })
            }
            (Some(PostKind::Withdraw), _, _) if self.can_withdraw(post.place.frame) => {
                Request::Withdraw(post.place.frame)
            }
            _ => Request::Unacceptable,
        }
    }

    fn can_withdraw(&self, earlier: u32) -> bool {
        let age = earlier.wrapping_sub(self.ring.released());
        let is_open =
            age < self.ring.next().wrapping_sub(self.ring.released()) && self.open.contains(earlier);
        is_open || self.windows.iter().any(|window| window.request == earlier)
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

    /// A claimed buffer is filled; the slot of its request is the client's again.
    #[inline]
    pub(crate) fn consume(&mut self, index: u32) {
        self.held.remove(index);
        self.release();
    }

    /// Whether the client holds a window open for `source` that covers `place`.
    #[inline]
    pub(crate) fn has_window(&self, source: DomainId, place: Span) -> bool {
        self.windows.iter().any(|window| window.from == source && window.span.covers(place))
    }

    /// Releases the oldest requests up to the first that is held.
    #[inline]
    fn release(&mut self) {
        self.ring.release(self.held.gap_from(self.ring.released()));
    }
}

/// A request after the check.
enum Request {
    Buffer(Buffer),
    Window(Window),
    Withdraw(u32),
    Unacceptable,
}
