//! The one client of a program: its port, its buffers, and what `ferry_init` has begun. Each method is the
//! function of `ferry.h` with the same name, without the pointers.

mod runs;

use ferry_client::{
    Address, Caller, Channel, Completion, DomainId, Event as Arrived, Message as Sending, OpenError, Opening,
    Peer, Port, Posted, ReceiveBuffer, ReceiveMemory, Regions, ReplyRefused, SendError, SendRefused, Status,
    TransmitBuffer, TransmitMemory,
};

use crate::buffers::{Buffers, place_of};
use crate::console;
use crate::global::DIRECTORY;
use crate::inspections::Inspections;
use crate::platform::Bell;
use crate::types::{
    ABI_VERSION, ANYONE, Done, Event, EventKind, Inspection, InspectionTicket, MAX_BUFFERS, MAX_PARTS,
    Message, NO_SIGNAL, Part, Place, Request, Result, RxBuffer, TxBuffer, URGENT,
};

/// The client of this program.
pub(crate) struct Client {
    opening: Option<Opening<Bell>>,
    port: Option<Port<Bell>>,
    is_started: bool,
    tx: Buffers<TransmitBuffer>,
    rx: Buffers<ReceiveBuffer>,
    /// For each receive buffer, the request that central has for it.
    posted: [Option<Posted>; MAX_BUFFERS],
    /// What it inspects, if it is a guard.
    inspections: Inspections,
    /// Whether `rest` said at its last call that something had come, and how things were then.
    has_seen: bool,
    seen: [u32; 5],
}

/// What the program is given by the system description, and the sizes that it wants its buffers to have.
pub(crate) struct Beginning {
    pub(crate) abi: u32,
    pub(crate) sizes: [u32; 2],
    pub(crate) regions: core::result::Result<Regions, OpenError>,
    pub(crate) central: Option<Channel>,
    /// Bytes of the transmit and of the receive region.
    pub(crate) bytes: [usize; 2],
}

impl Client {
    /// A client that was not started.
    pub(crate) const fn new() -> Self {
        Self {
            opening: None,
            port: None,
            is_started: false,
            tx: Buffers::new(),
            rx: Buffers::new(),
            posted: [None; MAX_BUFFERS],
            inspections: Inspections::new(),
            has_seen: false,
            seen: [0; 5],
        }
    }

    /// Whether a program with a header of this ABI version may start now.
    pub(crate) fn may_start(&self, abi: u32) -> Result {
        if abi != ABI_VERSION {
            console::error(format_args!(
                "ferry.h has ABI version {abi}, and libferry.a has {ABI_VERSION}; compile with the ferry.h that \
                 came with the library"
            ));
            return Result::FerryWrongAbi;
        }
        if self.is_started { Result::FerryStarted } else { Result::FerryOk }
    }

    pub(crate) fn start(&mut self, beginning: Beginning) -> Result {
        let Beginning { abi, sizes, regions, central, bytes } = beginning;
        match self.may_start(abi) {
            Result::FerryOk => {}
            refused => return refused,
        }
        let regions = regions.and_then(|regions| {
            central.map(|central| (regions, central)).ok_or(OpenError::Missing("ferry_central"))
        });
        let (regions, central) = match regions {
            Ok(there) => there,
            Err(error) => {
                console::error(format_args!("{error}"));
                return Result::FerryNoRegion;
            }
        };
        for ((size, bytes), name) in sizes.into_iter().zip(bytes).zip(["ferry_tx", "ferry_rx"]) {
            if size as usize > bytes {
                console::error(format_args!(
                    "buffers of {size} bytes do not fit into the region of the symbol `{name}`, which has {bytes}; \
                     make them smaller in ferry_init, or the region larger"
                ));
                return Result::FerryBadSize;
            }
        }
        self.is_started = true;
        let (opening, transmit, receive) = Port::open(regions, Bell(central));
        self.opening = Some(opening);
        self.split(sizes, transmit, receive);
        Result::FerryOk
    }

    // A function of its own, because its stack frame is large.
    #[inline(never)]
    fn split(&mut self, [tx, rx]: [u32; 2], transmit: TransmitMemory, receive: ReceiveMemory) {
        self.tx.fill(tx, transmit.split::<MAX_BUFFERS>(tx).into_iter());
        self.rx.fill(rx, receive.split::<MAX_BUFFERS>(rx).into_iter());
    }

    /// Cheap from the second time on, because every wake-up asks.
    #[inline]
    pub(crate) fn begins(&mut self) -> bool {
        self.opening.is_some() && self.open()
    }

    // A function of its own, because its stack frame is large.
    #[cold]
    #[inline(never)]
    fn open(&mut self) -> bool {
        let Some(opening) = self.opening.take() else { return false };
        match opening.poll() {
            Ok(port) => self.port = Some(port),
            Err(opening) => self.opening = Some(opening),
        }
        let Some(port) = &self.port else { return false };
        DIRECTORY.with(|directory| *directory = Some(port.directory()));
        true
    }

    pub(crate) fn rest(&mut self) -> bool {
        let Some(port) = &mut self.port else { return false };
        port.flush();
        // Whatever changes from here on causes a signal. So if the program has looked in this very state, and
        // left it as it was, it may sleep.
        if port.arm() {
            return self.is_new();
        }
        self.has_seen = false;
        false
    }

    /// Whether something has changed since this was asked last.
    #[cold]
    #[inline(never)]
    fn is_new(&mut self) -> bool {
        let Some(port) = &self.port else { return false };
        let progress = port.progress();
        let was_seen = self.has_seen && progress == self.seen;
        (self.has_seen, self.seen) = (!was_seen, progress);
        !was_seen
    }

    pub(crate) fn port(&mut self) -> Option<&mut Port<Bell>> {
        self.port.as_mut()
    }

    pub(crate) fn tx(&mut self) -> &mut Buffers<TransmitBuffer> {
        &mut self.tx
    }

    pub(crate) fn rx(&mut self) -> &mut Buffers<ReceiveBuffer> {
        &mut self.rx
    }

    #[inline]
    pub(crate) fn send(&mut self, target: u16, buffer: TxBuffer, length: u32, message: Message) -> Result {
        self.send_by(target, buffer, |port, target, buffer| {
            port.send_to_domain(target, buffer, length, sending(message))
        })
    }

    pub(crate) fn send_to(
        &mut self,
        target: u16,
        place: Place,
        buffer: TxBuffer,
        length: u32,
        message: Message,
    ) -> Result {
        let place = Address { frame: place.frame, offset: place.offset };
        self.send_by(target, buffer, |port, target, buffer| match port.peer_of(target) {
            Some(peer) => port.send_to(peer, place, buffer, length, sending(message)),
            // Central says what is wrong with the number.
            None => port.send_to_domain(target, buffer, length, sending(message)),
        })
    }

    #[inline]
    fn send_by(
        &mut self,
        target: u16,
        buffer: TxBuffer,
        send: impl FnOnce(&mut Port<Bell>, DomainId, TransmitBuffer) -> core::result::Result<(), SendRefused>,
    ) -> Result {
        let Some(port) = &mut self.port else { return Result::FerryNotOpen };
        let Some(target) = DomainId::new(target) else { return Result::FerryNoPeer };
        let sent = self.tx.hand_over(buffer.handle, |token| {
            send(port, target, token).map_err(|SendRefused { reason, buffer }| (why(reason), buffer))
        });
        sent.map_or_else(|why| why, |_| Result::FerryOk)
    }

    /// Sends a request to a server by `call`.
    pub(crate) fn call(
        &mut self,
        server: u16,
        buffer: TxBuffer,
        call: impl FnOnce(
            &mut Port<Bell>,
            Peer,
            TransmitBuffer,
        ) -> core::result::Result<(), (Result, TransmitBuffer)>,
    ) -> core::result::Result<(), Result> {
        let Some(port) = &mut self.port else { return Err(Result::FerryNotOpen) };
        let peer = peer_of(port, server)?;
        self.tx.hand_over(buffer.handle, |token| call(port, peer, token)).map(|_| ())
    }

    /// Answers a caller. If that is refused, the caller comes back.
    pub(crate) fn reply(
        &mut self,
        caller: Caller,
        buffer: TxBuffer,
        length: u32,
        time_to_live: u32,
    ) -> core::result::Result<(), (Result, Caller)> {
        let Some(port) = &mut self.port else { return Err((Result::FerryNotOpen, caller)) };
        let mut asker = Some(caller);
        let sent = self.tx.hand_over(buffer.handle, |token| {
            let Some(caller) = asker.take() else { return Err((Result::FerryStale, token)) };
            caller.reply(port, token, length, time_to_live).map_err(|refused| {
                let ReplyRefused { reason, buffer, caller } = refused;
                asker = Some(caller);
                (why(reason), buffer)
            })
        });
        match (sent, asker) {
            (Err(why), Some(caller)) => Err((why, caller)),
            _ => Ok(()),
        }
    }

    /// Sends parts as one message. `part` gives the one at a position.
    pub(crate) fn send_parts(
        &mut self,
        target: u16,
        count: u32,
        part: impl Fn(u32) -> Part,
        message: Message,
    ) -> Result {
        let Some(port) = &mut self.port else { return Result::FerryNotOpen };
        let Some(peer) = DomainId::new(target).and_then(|target| port.peer_of(target)) else {
            return Result::FerryNoPeer;
        };
        if !(1..=MAX_PARTS).contains(&count) {
            return Result::FerryBadParts;
        }
        // The program may change its array meanwhile, so what is checked is what is used.
        let parts: heapless::Vec<Part, { MAX_PARTS as usize }> = (0..count).map(part).collect();
        for (number, Part { buffer, length }) in parts.iter().enumerate() {
            let Some(token) = self.tx.held(buffer.handle) else { return Result::FerryStale };
            if *length > token.capacity() {
                return Result::FerryBeyondBuffer;
            }
            if parts[..number].iter().any(|earlier| earlier.buffer == *buffer) {
                return Result::FerryStale;
            }
        }
        if port.room_for(peer) < count {
            return Result::FerryFull;
        }
        // From here on nothing can be refused.
        let mut tokens = heapless::Vec::new();
        for Part { buffer, length } in &parts {
            let taken = self.tx.hand_over(buffer.handle, |token| {
                tokens.push((token, *length)).map_err(|(token, _)| (Result::FerryBadParts, token))
            });
            if let Err(why) = taken {
                return why;
            }
        }
        port.send_chain(peer, &mut tokens, sending(message)).map_or_else(why, |()| Result::FerryOk)
    }

    #[inline]
    pub(crate) fn reap(&mut self) -> Option<Done> {
        let Completion { status, tag, buffer } = self.port.as_mut()?.reap()?;
        // No buffer of a program has 0 bytes: this is the end of an answer.
        if buffer.capacity() == 0 {
            if let Some(buffer) = self.inspections.end(tag) {
                let handle = self.rx.take_back(buffer);
                let _ = self.rx.give(handle);
            }
            return Some(Done { tag, buffer: TxBuffer::default(), status });
        }
        Some(Done { tag, buffer: TxBuffer { handle: self.tx.take_back(buffer) }, status })
    }

    pub(crate) fn inspect(&mut self) -> Option<Inspection> {
        let inspection = self.port.as_mut()?.inspect()?;
        let ferry_client::Inspection { ticket, source, target, tag, length, .. } = inspection;
        self.inspections.begin(inspection);
        let (source, target) = (source.number(), target.number());
        Some(Inspection { ticket: InspectionTicket { handle: ticket }, tag, length, source, target })
    }

    pub(crate) fn inspected(&self, ticket: InspectionTicket) -> Option<*const u8> {
        self.inspections.bytes(ticket.handle).map(<[u8]>::as_ptr)
    }

    pub(crate) fn answer(&mut self, ticket: InspectionTicket, passes: bool, reason: u32) -> Result {
        let Some(port) = &mut self.port else { return Result::FerryNotOpen };
        let answer = || port.answer(ticket.handle, passes, reason);
        match self.inspections.answer(ticket.handle, answer) {
            None => Result::FerryStale,
            Some(answered) => answered.map_or_else(why, |()| Result::FerryOk),
        }
    }

    pub(crate) fn status(&self, age: u32) -> Status {
        self.port.as_ref().and_then(|port| port.status(age)).unwrap_or(Status::Free)
    }

    pub(crate) fn room_for(&self, peer: u16) -> u32 {
        let port = self.port.as_ref();
        port.and_then(|port| Some(port.room_for(port.peer_of(DomainId::new(peer)?)?))).unwrap_or(0)
    }

    #[inline]
    pub(crate) fn post(&mut self, buffer: RxBuffer, from: u16) -> core::result::Result<Request, Result> {
        let Some(port) = &mut self.port else { return Err(Result::FerryNotOpen) };
        let peer = match from {
            ANYONE => None,
            from => Some(peer_of(port, from)?),
        };
        self.request(buffer, |port, token| port.post(token, peer))
    }

    pub(crate) fn open_window(
        &mut self,
        buffer: RxBuffer,
        from: u16,
    ) -> core::result::Result<Request, Result> {
        let Some(port) = &mut self.port else { return Err(Result::FerryNotOpen) };
        let peer = peer_of(port, from)?;
        self.request(buffer, |port, token| port.open_window(token, peer))
    }

    #[inline]
    fn request(
        &mut self,
        buffer: RxBuffer,
        post: impl FnOnce(&mut Port<Bell>, ReceiveBuffer) -> core::result::Result<Posted, ferry_client::PostError>,
    ) -> core::result::Result<Request, Result> {
        let Some(port) = &mut self.port else { return Err(Result::FerryNotOpen) };
        let mut posted = None;
        let handle = self.rx.hand_over(buffer.handle, |token| match post(port, token) {
            Ok(request) => {
                posted = Some(request);
                Ok(())
            }
            Err(refused) => Err((Result::FerryFull, refused.buffer)),
        })?;
        if let Some(place) = self.posted.get_mut(place_of(handle)) {
            *place = posted;
        }
        Ok(Request { handle })
    }

    pub(crate) fn withdraw(&mut self, request: Request) -> Result {
        let Some(posted) = self.posted(request) else { return Result::FerryStale };
        let Some(port) = &mut self.port else { return Result::FerryNotOpen };
        if port.withdraw(posted) { Result::FerryOk } else { Result::FerryStale }
    }

    pub(crate) fn copy_out(&self, request: Request, skip: u32, into: &mut [u8]) -> Result {
        let Some(posted) = self.posted(request) else { return Result::FerryStale };
        let Some(port) = &self.port else { return Result::FerryNotOpen };
        match port.posted_buffer(posted) {
            Some(buffer) if buffer.copy_out(skip, into) => Result::FerryOk,
            Some(_) => Result::FerryBeyondBuffer,
            None => Result::FerryStale,
        }
    }

    /// The request that central has under this handle.
    fn posted(&self, request: Request) -> Option<Posted> {
        *self.posted.get(self.rx.index_of_lent(request.handle)?)?
    }

    #[inline]
    pub(crate) fn receive(&mut self) -> Option<Event> {
        let arrived = self.port.as_mut()?.receive()?;
        let nothing = Event {
            tag: 0,
            sequence: 0,
            buffer: RxBuffer::default(),
            place: Place::default(),
            length: 0,
            kind: EventKind::FerryReturned,
            source: ANYONE,
        };
        let (kind, buffer) = match arrived {
            Arrived::Placed { source, tag, sequence, place: Address { frame, offset }, length } => {
                let (source, kind) = (source.number(), EventKind::FerryPlaced);
                return Some(Event {
                    tag,
                    sequence,
                    place: Place { frame, offset },
                    length,
                    kind,
                    source,
                    ..nothing
                });
            }
            Arrived::Message { source, tag, sequence, buffer, length } => {
                let (source, kind) = (source.number(), EventKind::FerryMessage);
                (Event { tag, sequence, length, kind, source, ..nothing }, buffer)
            }
            Arrived::Returned(buffer) => (nothing, buffer),
        };
        let Address { frame, offset } = buffer.place();
        let buffer = RxBuffer { handle: self.rx.take_back(buffer) };
        Some(Event { buffer, place: Place { frame, offset }, ..kind })
    }
}

/// How the client library is told to send.
#[inline]
const fn sending(message: Message) -> Sending {
    Sending {
        tag: message.tag,
        urgent: message.flags & URGENT != 0,
        no_signal: message.flags & NO_SIGNAL != 0,
        time_to_live: message.time_to_live,
    }
}

pub(crate) const fn why(reason: SendError) -> Result {
    match reason {
        SendError::Full => Result::FerryFull,
        SendError::BeyondBuffer => Result::FerryBeyondBuffer,
        SendError::ChainLength => Result::FerryBadParts,
    }
}

fn peer_of(port: &Port<Bell>, number: u16) -> core::result::Result<ferry_client::Peer, Result> {
    DomainId::new(number).and_then(|number| port.peer_of(number)).ok_or(Result::FerryNoPeer)
}
