//! The system under test: the engine and the ports. Every operation is carried out in it and in the model.

use std::cell::Cell;
use std::rc::Rc;

use ferry_client::{Event, Inspection, Message, Peer, Port, Posted, ReceiveBuffer, Status, TransmitBuffer};
use ferry_layout::config::Mapping;
use ferry_layout::geometry::DELIVERY_SLOTS;
use ferry_layout::observe::{AccessKind, set_hook};
use ferry_layout::{Address, Delivery, DeliveryKind, InRegion, Post};
use ferry_testbed::{Action, Silent, Testbed};

use crate::model::{Client, Filed, Model, Offer, Sent, Totals, is_refused_by};
use crate::program::{Operation, Shape};

/// Transmit buffers, and receive buffers, into which a client splits its memory, at most.
const BUFFERS: usize = 24;

/// One client's program.
struct Program {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
    /// All requests so far, each with the beginning of its buffer.
    posted: Vec<(u64, Posted)>,
}

/// A guard. It answers by tag, whenever all clients publish.
struct Guard {
    number: u16,
    port: Port<Silent>,
    free: Vec<ReceiveBuffer>,
    answered: Vec<Inspection>,
}

impl Guard {
    fn start(bed: &mut Testbed, number: u16, buffer: u32) -> Self {
        let (port, _, receive) = bed.open(number);
        let free = receive.split::<BUFFERS>(buffer).into_iter().collect();
        let mut guard = Self { number, port, free, answered: Vec::new() };
        guard.act();
        guard
    }

    fn act(&mut self) {
        while let Some(ended) = self.port.reap() {
            let place = self.answered.iter().position(|it| it.ticket == ended.tag).expect("its answer");
            self.free.push(self.answered.swap_remove(place).buffer);
        }
        while let Some(inspection) = self.port.inspect() {
            let Inspection { tag, ticket, .. } = inspection;
            let passes = !is_refused_by(tag, self.number.into());
            self.port.answer(ticket, passes, 0).expect("a slot for the answer");
            self.answered.push(inspection);
        }
        while let Some(buffer) = self.free.pop() {
            self.port.post(buffer, None).expect("a slot for the request");
        }
        self.port.publish();
    }
}

/// The engine with its clients, and the model of them.
pub(crate) struct System {
    bed: Testbed,
    programs: Vec<Program>,
    guards: Vec<Guard>,
    model: Model,
    next_tag: u64,
}

/// Bytes that tell a message from others.
fn content(tag: u64, length: u32) -> Vec<u8> {
    (0..u64::from(length))
        .map(|place| (tag.wrapping_mul(31) ^ place ^ (place >> 8)).to_le_bytes()[0] | 1)
        .collect()
}

fn position(place: Address) -> u64 {
    u64::from(place.frame) * 4096 + u64::from(place.offset)
}

fn address<T>(field: &T) -> usize {
    core::ptr::from_ref(field).addr()
}

impl System {
    pub(crate) fn new(shape: Shape) -> Self {
        let mut bed = Testbed::new(&shape.topology);
        let all = u16::try_from(shape.topology.clients.len()).expect("few clients");
        let count = all - shape.guards;
        let guards = (count..all).map(|guard| Guard::start(&mut bed, guard, shape.buffer)).collect();
        let programs = (0..count).map(|client| start(&mut bed, client, shape.buffer)).collect();
        let system = Self { bed, programs, guards, model: Model::new(shape), next_tag: 0 };
        system.check_directories();
        system
    }

    /// Checks what each client was told of each other one.
    fn check_directories(&self) {
        for (client, program) in (0..).zip(&self.programs) {
            for other in 0..self.count() {
                let (to, from) = (self.model.flow(client, other), self.model.flow(other, client));
                let expected = (to.is_some() || from.is_some())
                    .then(|| (other, to.is_some(), from.is_some(), to.map_or(0, |flow| flow.max_message)));
                let peer = program.port.peer(&format!("client{other}"));
                let told = peer.map(|it| (it.domain, it.may_send != 0, it.may_receive != 0, it.max_message));
                assert_eq!(told, expected, "what client {client} is told of client {other}");
            }
        }
    }

    fn count(&self) -> u16 {
        u16::try_from(self.programs.len()).expect("few clients")
    }

    fn client(&self, number: u16) -> u16 {
        number % self.count()
    }

    /// A peer by number, whether or not there is a flow to it. An honest program may try or be mistaken.
    fn peer(number: u16) -> Peer {
        Peer { domain: number, ..Peer::default() }
    }

    /// Lets central work, and observes it. If no flow keeps its mappings, neither a delivery nor a final
    /// status may become visible while a frame is mapped.
    fn work(&mut self, work: impl FnOnce(&mut Testbed)) {
        if self.model.shape.topology.flows.iter().any(|flow| flow.mapping() == Mapping::Keep) {
            work(&mut self.bed);
            return;
        }
        let mapped = Rc::new(Cell::new(0_i32));
        let counted = mapped.clone();
        self.bed.machine.interposer = Some(Box::new(move |action| match action {
            Action::Map(..) => counted.set(counted.get() + 1),
            Action::Unmap(..) => counted.set(counted.get() - 1),
            Action::Copy(_) | Action::Signal(_) | Action::SignalAuditReader => {}
        }));
        let pages: Vec<_> = self.bed.clients.iter().map(|client| client.to_client).collect();
        set_hook(Some(Box::new(move |access| {
            if access.kind == AccessKind::Store && mapped.get() != 0 {
                let is_tail =
                    |to_client: &&'static InRegion| address(&to_client.delivery_tail) == access.address;
                let is_end = |to_client: &&'static InRegion| {
                    let slots = (0..128).map(|slot| to_client.status(slot));
                    slots
                        .filter(|word| address(*word) == access.address)
                        .any(|word| word.latest().1.is_final())
                };
                let visible = pages.iter().any(|to_client| is_tail(to_client) || is_end(to_client));
                assert!(!visible, "visible with {} frames mapped", mapped.get());
            }
        })));
        work(&mut self.bed);
        set_hook(None);
        self.bed.machine.interposer = None;
    }

    pub(crate) fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Send { source, target, length, urgent, quiet, ticks } => {
                let target = if target < 4 { self.client(target) } else { target };
                let message = Message { tag: 0, urgent, no_signal: quiet, time_to_live: ticks };
                self.send(self.client(source), target, length, message, None);
            }
            Operation::Chain { source, target, parts, length } => {
                self.chain(self.client(source), self.client(target), parts, length);
            }
            Operation::Place { source, target, skip, length } => {
                let (source, target) = (self.client(source), self.client(target));
                // Mostly into an open window, and mostly inside it.
                let offers = &self.model.clients[usize::from(target)].offers;
                let window = offers.iter().find(|offer| offer.is_window && offer.from == Some(source));
                let (start, span) = window.map_or((0, 9000), |window| (window.start, window.length + 2));
                let skip = skip % u64::from(span);
                let length = length % (span - u32::try_from(skip).expect("below the span"));
                self.send(source, target, length, Message::default(), Some(start + skip));
            }
            Operation::Post { client, from } => {
                let from = from.map(|from| self.client(from));
                self.post(self.client(client), from, false);
            }
            Operation::Window { client, from } => {
                self.post(self.client(client), Some(self.client(from)), true);
            }
            Operation::Withdraw { client, which } => self.withdraw(self.client(client), which),
            Operation::Receive { client, most } => self.receive(self.client(client), most.into()),
            Operation::Reap { client, most } => self.reap(self.client(client), most.into()),
            Operation::Publish { client } => {
                self.publish(self.client(client));
            }
            Operation::Run => self.run(),
            Operation::RunFor { client } => {
                let client = self.client(client);
                self.publish(client);
                self.model.begin_run(client..client + 1);
                self.work(|bed| bed.run_for(client));
                self.observe(false);
            }
            Operation::Tick => {
                self.model.tick();
                self.model.begin_run(0..0);
                self.work(Testbed::tick);
                self.observe(true);
            }
            Operation::Restart { client } => self.restart(self.client(client)),
            Operation::RestartCentral => {
                self.model.restart_central();
                self.model.begin_run(0..0);
                self.bed.restart();
                self.work(Testbed::run);
                self.observe(false);
            }
            Operation::RefuseMaps { after } => self.bed.machine.refuse_map_after = Some(after),
        }
    }

    fn tag(&mut self) -> u64 {
        self.next_tag += 1;
        self.next_tag
    }

    fn send(&mut self, source: u16, target: u16, length: u32, message: Message, place: Option<u64>) {
        let tag = self.tag();
        let program = &mut self.programs[usize::from(source)];
        let Some(mut buffer) = program.transmit.pop() else { return };
        let length = length % (buffer.capacity() + 1);
        let bytes = content(tag, length);
        buffer.bytes_mut()[..bytes.len()].copy_from_slice(&bytes);
        let message = Message { tag, ..message };
        let result = match place {
            None => program.port.send(Self::peer(target), buffer, length, message),
            Some(place) => {
                let address = Address::at(place).expect("a near place");
                program.port.send_to(Self::peer(target), address, buffer, length, message)
            }
        };
        match result {
            Ok(()) => {
                let (urgent, ticks) = (message.urgent, message.time_to_live);
                let sent = Sent { urgent, ticks, place, ..Sent::new(tag, target, bytes) };
                self.model.send(source, 1, sent);
            }
            Err(refused) => program.transmit.push(refused.buffer),
        }
    }

    fn chain(&mut self, source: u16, target: u16, parts: u8, length: u32) {
        let tag = self.tag();
        let program = &mut self.programs[usize::from(source)];
        if program.transmit.len() < parts.into() {
            return;
        }
        let mut chain = heapless::Vec::new();
        let mut bytes = Vec::new();
        for part in 0..parts {
            let mut buffer = program.transmit.pop().expect("just counted");
            let length = length.rotate_left(part.into()) % (buffer.capacity() / u32::from(parts) + 2);
            let piece = content(tag + u64::from(part) * 7, length.min(buffer.capacity()));
            buffer.bytes_mut()[..piece.len()].copy_from_slice(&piece);
            bytes.extend_from_slice(&piece);
            let length = u32::try_from(piece.len()).expect("short");
            chain.push((buffer, length)).expect("no more parts than a chain may have");
        }
        let result = program.port.send_chain(Self::peer(target), &mut chain, Message::tagged(tag));
        program.transmit.extend(chain.into_iter().map(|(buffer, _)| buffer));
        if result.is_ok() {
            let sent = Sent { is_single: parts == 1, ..Sent::new(tag, target, bytes) };
            self.model.send(source, parts.into(), sent);
        }
    }

    fn post(&mut self, client: u16, from: Option<u16>, is_window: bool) {
        let program = &mut self.programs[usize::from(client)];
        let Some(buffer) = program.receive.pop() else { return };
        let (start, length) = (position(buffer.place()), buffer.capacity());
        let result = match from {
            Some(from) if is_window => program.port.open_window(buffer, Self::peer(from)),
            _ => program.port.post(buffer, from.map(Self::peer)),
        };
        match result {
            Ok(posted) => {
                program.posted.push((start, posted));
                let (published, known, withdrawing) = (false, false, false);
                let offer = Offer { from, start, length, is_window, published, known, withdrawing };
                self.model.clients[usize::from(client)].offers.push(offer);
            }
            Err(refused) => program.receive.push(refused.buffer),
        }
    }

    fn withdraw(&mut self, client: u16, which: usize) {
        let program = &mut self.programs[usize::from(client)];
        let recent = program.posted.len().saturating_sub(12);
        let Some((start, posted)) = program.posted[recent..].iter().cycle().nth(which % 12) else { return };
        if program.port.withdraw(*posted) {
            let offers = &mut self.model.clients[usize::from(client)].offers;
            // There is none if the request is used up already and the client has not looked.
            if let Some(offer) = offers.iter_mut().find(|offer| offer.start == *start) {
                assert!(!offer.withdrawing, "{offer:?} is withdrawn once");
                offer.withdrawing = true;
            }
        }
    }

    fn receive(&mut self, client: u16, most: usize) {
        let program = &mut self.programs[usize::from(client)];
        let state = &mut self.model.clients[usize::from(client)];
        for _ in 0..most {
            let expected = state.filed.pop_front();
            let found = match program.port.receive() {
                None => None,
                Some(Event::Message { source, tag, buffer, length, .. }) => {
                    let start = position(buffer.place());
                    program.receive.push(buffer);
                    Some(Filed::Message { source: source.number(), tag, start, length, placed: false })
                }
                Some(Event::Placed { source, tag, place, length, .. }) => {
                    let start = position(place);
                    Some(Filed::Message { source: source.number(), tag, start, length, placed: true })
                }
                Some(Event::Returned(buffer)) => {
                    let start = position(buffer.place());
                    program.receive.push(buffer);
                    Some(Filed::Returned { start })
                }
            };
            assert_eq!(found, expected, "client {client} takes what was filed, once and in order");
        }
    }

    fn reap(&mut self, client: u16, most: usize) {
        let program = &mut self.programs[usize::from(client)];
        let state = &mut self.model.clients[usize::from(client)];
        for _ in 0..most {
            let Some(completion) = program.port.reap() else { break };
            let place = state.slots.iter().position(|tag| *tag == completion.tag);
            state.slots.remove(place.expect("only what was sent is reaped, and once"));
            program.transmit.push(completion.buffer);
        }
    }

    fn restart(&mut self, client: u16) {
        let buffer = self.model.shape.buffer;
        self.model.restart(client);
        self.model.begin_run(0..0);
        self.programs[usize::from(client)] = start(&mut self.bed, client, buffer);
        self.observe(false);
    }

    fn publish(&mut self, client: u16) {
        self.model.publish(client);
        self.programs[usize::from(client)].port.publish();
    }

    /// Every client publishes and central runs. After that, no message waits without a reason.
    fn run(&mut self) {
        (0..self.count()).for_each(|client| self.publish(client));
        self.guards.iter_mut().for_each(Guard::act);
        let refusing = self.bed.machine.refuse_map_after.is_some();
        self.model.begin_run(0..self.count());
        self.work(Testbed::run);
        self.observe(false);
        self.model.know_offers();
        if !refusing {
            self.model.check_nothing_waits_in_vain(|client| self.used(client) < DELIVERY_SLOTS);
        }
    }

    /// Deliveries of a client that it has not taken, as far as central knows.
    fn used(&self, client: usize) -> usize {
        let memory = self.bed.clients[client];
        let (tail, head) = (&memory.to_client.delivery_tail, &memory.from_client.delivery_head);
        tail.observe().wrapping_sub(head.observe()) as usize
    }

    /// Checks everything that central has published since the last call.
    fn observe(&mut self, is_tick: bool) {
        self.model.begin_check(self.bed.machine.refuse_map_after.take().is_some(), is_tick);
        // A message of a one-way flow may fail half-way, and then it is dropped.
        let mut failed = self.model.maps_refused && self.model.has_one_way();
        for (source, program) in (0..).zip(&self.programs) {
            let slots = self.model.clients[usize::from(source)].slots.clone();
            for (age, tag) in (0..).zip(slots) {
                match program.port.status(age) {
                    None => {}
                    Some(Status::Queued) => self.model.taken(source, tag),
                    Some(status) => {
                        failed |= status == Status::Failed;
                        self.model.end(source, tag, status);
                    }
                }
            }
        }
        if failed {
            // A message that failed half-way has left bytes in a buffer, and another message of the same run
            // may have got that buffer.
            self.take_over_offered();
        }
        for client in 0..self.count() {
            self.observe_deliveries(client);
        }
        let used: Vec<usize> = (0..self.programs.len()).map(|client| self.used(client)).collect();
        self.model.check_drops(|client| used[client] < DELIVERY_SLOTS);
        self.model.check_conservation();
        self.check_memory(failed);
        for frame in self.bed.machine.frames() {
            let kept = self.model.may_keep(frame.client.number(), frame.side);
            assert!(kept, "{frame:?} is left mapped while central sleeps");
        }
        self.check_counters();
    }

    /// Checks the counters of every client against what the model has seen and the machine was asked to do.
    fn check_counters(&mut self) {
        let uncounted = self.model.uncounted.clone();
        let counts = |client: u16| !uncounted[usize::from(client)];
        for action in self.bed.machine.actions.drain(..) {
            match action {
                Action::Map(client, ..) if counts(client) => self.model.totals[usize::from(client)].maps += 1,
                Action::Unmap(client, ..) if counts(client) => {
                    self.model.totals[usize::from(client)].unmaps += 1;
                }
                Action::Signal(client) => self.model.totals[usize::from(client)].signals += 1,
                Action::Map(..) | Action::Unmap(..) | Action::Copy(_) | Action::SignalAuditReader => {}
            }
        }
        let clients = self.bed.clients.iter().take(self.programs.len());
        for (client, (memory, expected)) in clients.zip(&self.model.totals).enumerate() {
            let counters = &memory.to_client.counters;
            let dropped = memory.to_client.dropped.get();
            let mut expected = expected.clone();
            if let Some(missing) = self.model.missing(u16::try_from(client).expect("few clients")) {
                assert!(
                    dropped <= missing,
                    "{dropped} for client {client} are dropped, and {missing} missing"
                );
                expected.dropped = dropped;
            }
            let counted = Totals {
                sent_messages: counters.sent_messages.get(),
                sent_bytes: counters.sent_bytes.get(),
                received_messages: counters.received_messages.get(),
                received_bytes: counters.received_bytes.get(),
                refused: counters.refused.get(),
                maps: counters.maps.get(),
                unmaps: counters.unmaps.get(),
                signals: counters.signals.get(),
                dropped,
            };
            assert_eq!(counted, expected, "the counters of client {client}");
        }
    }

    fn observe_deliveries(&mut self, client: u16) {
        let to_client = self.bed.clients[usize::from(client)].to_client;
        let tail = to_client.delivery_tail.observe();
        loop {
            let Client { seen, .. } = &mut self.model.clients[usize::from(client)];
            if *seen == tail {
                break;
            }
            let delivery: Delivery = to_client.deliveries.load(*seen);
            *seen = seen.wrapping_add(1);
            let kind = DeliveryKind::from_number(delivery.kind).expect("a kind of delivery");
            let Delivery { source, tag, sequence, request, length, .. } = delivery;
            // The entry stays in its slot until its buffer has come back.
            let post: Post = self.bed.clients[usize::from(client)].from_client.posts.load(request);
            match kind {
                DeliveryKind::Withdrawn => self.model.withdrawn(client, position(post.place)),
                DeliveryKind::Refused => self.model.refused(client, position(post.place)),
                DeliveryKind::Inspection => panic!("client {client} is no guard: {delivery:?}"),
                DeliveryKind::Message | DeliveryKind::Placed => {
                    let stages = self.model.stages_of(source, client).len();
                    assert_eq!(usize::from(delivery.detail), stages, "all of them have passed {delivery:?}");
                    self.model.deliver(source, client, tag, sequence, position(delivery.place()), length);
                }
            }
        }
    }

    /// Checks that only the bytes of deliveries have changed in the receive regions. If a transfer may have
    /// stopped half-way, the offered buffers may hold anything.
    fn check_memory(&mut self, failed: bool) {
        if failed || self.model.shape.buffer > ferry_central::CHUNK_BYTES {
            self.take_over_offered();
        }
        for client in 0..self.programs.len() {
            let actual = self.bed.clients[client].receive.read(0, self.model.clients[client].receive.len());
            let expected = &self.model.clients[client].receive;
            if *expected != actual {
                let place = expected.iter().zip(&actual).position(|(expected, actual)| expected != actual);
                panic!("byte {place:?} of client {client}'s receive region is not what it should be");
            }
        }
    }

    /// Lets the model expect what is in the offered buffers now, whatever it is.
    fn take_over_offered(&mut self) {
        for client in 0..self.programs.len() {
            let offered: Vec<_> = self.model.offered(client).collect();
            for (start, end) in offered {
                let actual = self.bed.clients[client].receive.read(start, end - start);
                self.model.clients[client].receive[start..end].copy_from_slice(&actual);
            }
        }
    }

    /// Brings everything to an end: offers for one peer are withdrawn, and everything else is received and
    /// reaped until nothing waits. Then nothing may be mapped.
    pub(crate) fn settle(&mut self) {
        for client in 0..self.count() {
            for which in 0..12 {
                self.withdraw(client, which);
            }
        }
        for _ in 0..400 {
            self.run();
            if self.model.has_one_way() {
                self.perform(Operation::Tick);
            }
            for client in 0..self.count() {
                self.receive(client, self.model.clients[usize::from(client)].filed.len());
                self.reap(client, usize::MAX);
                for which in 0..12 {
                    let restricted = self.model.clients[usize::from(client)].offers.iter();
                    if restricted.filter(|offer| offer.from.is_some()).count() > 0 {
                        self.withdraw(client, which);
                    }
                }
                while self.programs[usize::from(client)].receive.len() > 1 {
                    self.post(client, None, false);
                }
            }
            if self.model.waiting() == 0 {
                break;
            }
        }
        assert_eq!(self.model.waiting(), 0, "every send ends");
        // What is still with guards of one-way flows arrives, or is dropped.
        (0..8).for_each(|_| self.run());
        for client in 0..self.count() {
            let dropped = self.bed.clients[usize::from(client)].to_client.dropped.get();
            let missing = self.model.missing(client).unwrap_or(dropped);
            let lost =
                missing.checked_sub(dropped).is_some_and(|lost| lost <= self.model.may_be_lost(client));
            assert!(lost, "{missing} are missing for client {client}, and {dropped} were dropped");
        }
        for _ in 0..2 {
            self.perform(Operation::Tick);
        }
        assert_eq!(self.bed.machine.mapped(), 0, "nothing stays mapped for ever");
    }
}

fn start(bed: &mut Testbed, client: u16, buffer: u32) -> Program {
    let (port, transmit, receive) = bed.open(client);
    Program {
        port,
        transmit: transmit.split::<BUFFERS>(buffer).into_iter().collect(),
        receive: receive.split::<BUFFERS>(buffer).into_iter().collect(),
        posted: Vec::new(),
    }
}
