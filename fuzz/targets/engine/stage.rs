//! The stage: an honest sender (0) and receiver (1), two hostile clients (2 and 3), and central. If there are
//! guards, client 3 is one of them, and there is an honest one (4).

use ferry_central::ClientSet;
use ferry_client::{Event, Message, Port, Status, TransmitBuffer};
use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::geometry::{MAX_ONE_WAY, OUT_BYTES, POST_SLOTS, TRANSMIT_SLOTS};
use ferry_layout::{Address, Delivery, Descriptor, OutRegion, Post, Verdict, flags};
use ferry_testbed::{Memory, Silent, Testbed, Topology, id};

use crate::guard::{Guard, LONGEST};
use crate::script::Script;

/// Frames of each buffer region.
const FRAMES: usize = 8;
const CLIENTS: u16 = 4;
/// The guards, if there are any.
const HOSTILE_GUARD: u16 = 3;
const HONEST_GUARD: u16 = 4;

/// Number of buffers of each honest client, and their size in bytes.
const BUFFERS: usize = 4;
const BUFFER: u32 = 5000;

/// Flags that descriptors get: every combination, one that means nothing, and the mark.
const FLAGS: [u8; 12] = [
    0,
    flags::CHAINED,
    flags::URGENT,
    flags::CHAINED | flags::URGENT,
    flags::NO_SIGNAL,
    flags::CHAINED | flags::NO_SIGNAL,
    flags::URGENT | flags::NO_SIGNAL,
    flags::ALL,
    8,
    flags::PASSED_OVER,
    flags::PASSED_OVER | flags::CHAINED,
    flags::PASSED_OVER | flags::URGENT,
];

/// Marks that requests get.
const MARKS: [u8; 5] = [0, Post::PASSED_OVER, Post::WITHDRAWN, Post::PASSED_OVER | Post::WITHDRAWN, 4];

pub(crate) struct Stage {
    bed: Testbed,
    /// Whether all flows have the mapping policy `each`; otherwise all have `keep`.
    each: bool,
    /// The honest sender and receiver, while a script is played, and the honest guard.
    honest: Option<(Sender, Receiver)>,
    guard: Option<Guard>,
    has_guards: bool,
    rewrites: u8,
    /// Number of messages that the honest clients have exchanged.
    exchanged: u8,
}

struct Sender {
    port: Port<Silent>,
    buffers: Vec<TransmitBuffer>,
}

struct Receiver {
    port: Port<Silent>,
}

impl Stage {
    pub(crate) fn new(each: bool, has_guards: bool) -> Self {
        let topology = if has_guards { guarded(each) } else { topology(each) };
        let bed = Testbed::new(&topology);
        Self { bed, each, honest: None, guard: None, has_guards, rewrites: 0, exchanged: 0 }
    }

    /// Number of clients.
    fn clients(&self) -> u16 {
        if self.has_guards { CLIENTS + 1 } else { CLIENTS }
    }

    /// Number of buffers that the honest receiver offers.
    fn buffers(&self) -> usize {
        if self.has_guards { BUFFERS + 2 } else { BUFFERS }
    }

    fn all(&self) -> ClientSet {
        ClientSet::first(self.clients().into())
    }

    /// Resets everything to the state after a boot, and lets all clients in.
    pub(crate) fn begin(&mut self) {
        for client in &self.bed.clients {
            for memory in [
                Memory::of(client.from_client),
                Memory::of(client.to_client),
                client.transmit,
                client.receive,
            ] {
                memory.write(0, &vec![0; memory.bytes()]);
            }
        }
        self.bed.machine.actions.clear();
        self.bed.machine.refuse_map_after = None;
        self.bed.restart();
        for client in 2..CLIENTS {
            self.out(client).ask_for_epoch(1);
        }
        let (port, transmit, _) = self.bed.open(0);
        let buffers = transmit.split::<BUFFERS>(BUFFER).into_iter().collect();
        let sender = Sender { port, buffers };
        let (mut port, _, receive) = self.bed.open(1);
        let from = port.peer("client0").expect("a flow between the honest");
        // If there are guards, the last two are for a hostile client, whose messages come through them.
        let hostile = port.peer("client2");
        let buffers = receive.split::<6>(BUFFER).into_iter().take(self.buffers());
        for (number, buffer) in buffers.enumerate() {
            let from = if number < BUFFERS { Some(from) } else { hostile };
            port.post(buffer, from).expect("room for a request");
        }
        self.guard = self.has_guards.then(|| {
            let (port, _, receive) = self.bed.open(HONEST_GUARD);
            Guard::new(port, receive)
        });
        port.publish();
        self.honest = Some((sender, Receiver { port }));
        (self.exchanged, self.rewrites) = (0, 0);
        self.bed.run();
    }

    fn out(&self, client: u16) -> &'static OutRegion {
        self.bed.clients[usize::from(client)].from_client
    }

    /// Plays one step of the script.
    pub(crate) fn play(&mut self, script: &mut Script<'_>) {
        let operation = script.next();
        let client = 2 + u16::from(operation >> 7);
        let out = self.out(client);
        match operation % 16 {
            0 => {
                let place = usize::from(script.next_u16()) * 8 % OUT_BYTES;
                Memory::of(out).write(place, &script.next_u64().to_le_bytes());
            }
            1 => {
                // The words of the first page that are indices, hints or the magic.
                let place = usize::from(script.next() % 0x24) * 4;
                Memory::of(out).write(place, &script.next_u32().to_le_bytes());
            }
            2..=4 => self.describe(client, script),
            5 => self.request(client, script),
            6 => self.mark(client, script),
            7 => out
                .transmit_tail
                .publish(out.transmit_tail.observe().wrapping_add(script.next() as u32 % 140)),
            8 => out.post_tail.publish(out.post_tail.observe().wrapping_add(script.next() as u32 % 140)),
            9 => {
                let tail = self.bed.clients[usize::from(client)].to_client.delivery_tail.observe();
                out.delivery_head.publish(tail.wrapping_sub(script.next() as u32 % 140));
            }
            10 => {
                out.reset();
                out.ask_for_epoch(u32::from(script.next()));
            }
            11 => out.clear_magic(),
            12 => match script.next() {
                255 => self.restart_central(),
                after if after > 200 => self.talk(),
                after => self.bed.machine.refuse_map_after = Some(after.into()),
            },
            13 => self.run(ClientSet::EMPTY, true),
            14 => {
                let mut woken = ClientSet::EMPTY;
                woken.insert(id(client));
                self.run(woken, false);
            }
            _ => {
                if let Some(guard) = &mut self.guard {
                    guard.answer();
                    // The sender of what guards have changes its bytes.
                    self.rewrites = self.rewrites.wrapping_add(1);
                    let memory = self.bed.clients[2].transmit;
                    memory.write(0, &vec![self.rewrites; memory.bytes()]);
                }
                self.run(self.all(), false);
            }
        }
    }

    /// Stores a descriptor that is nearly valid at the tail, and publishes it.
    fn describe(&self, client: u16, script: &mut Script<'_>) {
        let out = self.out(client);
        let tail = out.transmit_tail.observe();
        let bits = script.next();
        if self.has_guards && client == HOSTILE_GUARD && bits & 0x20 == 0 {
            // A verdict about one of its last deliveries, or with that ticket and something wrong in it.
            let to_client = self.bed.clients[usize::from(client)].to_client;
            let age = u32::from(bits % 8) + 1;
            let about: Delivery =
                to_client.deliveries.load(to_client.delivery_tail.observe().wrapping_sub(age));
            let ticket = about.sequence ^ u64::from(script.next() / 240) << (bits % 48);
            out.descriptors.store(tail, Verdict { ticket, passes: bits & 0x80 == 0, reason: 1 }.descriptor());
            out.transmit_tail.publish(tail.wrapping_add(1));
            return;
        }
        let descriptor = Descriptor {
            source: Address { frame: u32::from(script.next() % 10), offset: script.next_length() % 5000 },
            destination: Address {
                frame: u32::from(script.next() % 10),
                offset: u32::from(script.next()) * 17,
            },
            length: script.next_length(),
            target: u16::from(bits % 6),
            kind: u8::from(bits & 0x40 != 0),
            flags: FLAGS[usize::from(script.next()) % FLAGS.len()],
            tag: u64::from(tail),
            time_to_live: u32::from(bits >> 7),
            reserved: 0,
        };
        out.descriptors.store(tail, descriptor);
        out.transmit_tail.publish(tail.wrapping_add(1));
    }

    /// Stores a receive request that is nearly valid at the tail, and publishes it.
    fn request(&self, client: u16, script: &mut Script<'_>) {
        let out = self.out(client);
        let tail = out.post_tail.observe();
        let kind = script.next();
        let place = script.next();
        let post = Post {
            place: Address { frame: u32::from(place % 10), offset: script.next_length() % 5000 },
            length: script.next_length(),
            from: if kind & 0x80 == 0 { u16::from(kind >> 2) % 5 } else { Post::ANYONE },
            kind: kind % 4,
            marks: MARKS[usize::from(place / 10) % MARKS.len()],
        };
        out.posts.store(tail, post);
        out.post_tail.publish(tail.wrapping_add(1));
    }

    /// What a client may do to what it has published: pass over a slot with the mark for that, or withdraw a
    /// request. Sometimes only half of it.
    fn mark(&self, client: u16, script: &mut Script<'_>) {
        let out = self.out(client);
        let which = script.next();
        let (transmit, post) = (out.transmit_tail.observe(), out.post_tail.observe());
        match which % 4 {
            0 | 1 => {
                // One index, or most of a lap, so that the ring comes round.
                let count = if which % 4 == 0 { 1 } else { 1 + u32::from(script.next() % 127) };
                for age in 0..count {
                    out.pass_over_send(transmit.wrapping_add(age));
                    out.pass_over_post(post.wrapping_add(age));
                }
                if which & 0x40 == 0 {
                    out.transmit_tail.publish(transmit.wrapping_add(count));
                }
                if which & 0x80 == 0 {
                    out.post_tail.publish(post.wrapping_add(count));
                }
            }
            2 => {
                out.withdraw(post.wrapping_sub(1 + u32::from(script.next() % 8)));
                if which & 0x40 == 0 {
                    out.withdrawals.publish(out.withdrawals.observe().wrapping_add(1));
                }
            }
            _ => out.withdrawals.publish(script.next_u32()),
        }
    }

    fn run(&mut self, woken: ClientSet, tick: bool) {
        self.bed.engine.run(&mut self.bed.machine, woken, tick);
        // A bound that no input may exceed: several times what all rings hold, in pieces of a page.
        let most = usize::from(CLIENTS) * (TRANSMIT_SLOTS + POST_SLOTS) * FRAMES * 8;
        assert!(
            self.bed.machine.actions.len() < most,
            "{} actions in one run",
            self.bed.machine.actions.len()
        );
        self.bed.machine.actions.clear();
        self.bed.machine.refuse_map_after = None;
        assert!(!self.each || self.bed.machine.mapped() == 0, "mappings are left while central sleeps");
    }

    /// Stops central while it sleeps, and starts a new one.
    fn restart_central(&mut self) {
        self.take_screened();
        if let Some(guard) = &mut self.guard {
            guard.forget();
        }
        self.bed.restart();
        self.run(self.all(), false);
    }

    /// Takes what has come through guards, and offers the buffers again.
    fn take_screened(&mut self) {
        let (Some((_, receiver)), Some(guard)) = (&mut self.honest, &mut self.guard) else { return };
        while let Some(event) = receiver.port.receive() {
            let Event::Message { source, tag, buffer, length, .. } = event else { panic!("{event:?}") };
            guard.let_through(source.number(), 1, tag, &buffer.bytes()[..length as usize]);
            let from = receiver.port.peer("client2");
            receiver.port.post(buffer, from).expect("room for a request");
        }
        receiver.port.publish();
    }

    /// Sends one honest message. It must arrive whatever the others have done, and its buffer is offered
    /// again.
    fn talk(&mut self) {
        self.bed.machine.refuse_map_after = None;
        self.take_screened();
        let Some((mut sender, mut receiver)) = self.honest.take() else { return };
        self.exchanged = self.exchanged.wrapping_add(1);
        let (tag, length) = (self.exchanged, BUFFER - u32::from(self.exchanged % 16));
        let to = sender.port.peer("client1").expect("a flow between the honest");
        let mut buffer = sender.buffers.pop().expect("every send comes back");
        buffer.bytes_mut().fill(tag | 1);
        sender.port.send(to, buffer, length, Message::tagged(tag.into())).expect("room for a send");
        sender.port.publish();
        self.run(self.all(), false);
        let done = sender.port.reap().expect("an honest send ends");
        assert_eq!(done.status, Status::Done);
        sender.buffers.push(done.buffer);
        let to_client = self.bed.clients[1].to_client;
        let delivery: Delivery = to_client.deliveries.load(to_client.delivery_tail.observe().wrapping_sub(1));
        let mut arrived = 0;
        while let Some(event) = receiver.port.receive() {
            let Event::Message { source, tag: received, buffer, length: bytes, .. } = event else {
                panic!("{event:?}")
            };
            if let Some(guard) = self.guard.as_mut().filter(|_| source != id(0)) {
                guard.let_through(source.number(), 1, received, &buffer.bytes()[..bytes as usize]);
            } else {
                assert_eq!((source, received, bytes), (id(0), u64::from(tag), length));
                assert!(self.has_guards || (delivery.place(), delivery.detail) == (buffer.place(), 0));
                assert!(buffer.bytes()[..length as usize].iter().all(|byte| *byte == tag | 1));
                arrived += 1;
            }
            let from = receiver.port.peer(if source == id(0) { "client0" } else { "client2" });
            receiver.port.post(buffer, from).expect("room for a request");
        }
        receiver.port.publish();
        assert_eq!(arrived, 1, "nothing but what the honest sender sent");
        if self.has_guards {
            self.talk_one_way(&mut sender);
        }
        self.honest = Some((sender, receiver));
    }

    /// Sends one honest message to a hostile client in a one-way flow. Whatever that one is like, the message
    /// waits for the next tick, and is done then.
    fn talk_one_way(&mut self, sender: &mut Sender) {
        let to = sender.port.peer("client2").expect("a one-way flow");
        let buffer = sender.buffers.pop().expect("every send comes back");
        sender.port.send(to, buffer, 100, Message::tagged(1)).expect("room for a send");
        sender.port.publish();
        self.run(self.all(), false);
        assert_eq!((sender.port.status(0), sender.port.reap().is_none()), (Some(Status::Queued), true));
        self.run(ClientSet::EMPTY, true);
        let done = sender.port.reap().expect("it ends at the tick");
        assert_eq!(done.status, Status::Done);
        sender.buffers.push(done.buffer);
    }

    /// The honest clients exchange one more message. Then all clients restart.
    pub(crate) fn end(&mut self) {
        self.talk();
        let offered = self.buffers() * BUFFER as usize;
        let untouched = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        assert!(untouched(&self.receive_region(0)), "the sender has offered nothing");
        assert!(untouched(&self.receive_region(1)[offered..]), "written past what was offered");
        for client in 0..self.clients() {
            let epoch = self.bed.clients[usize::from(client)].to_client.epoch.observe();
            self.out(client).reset();
            self.out(client).ask_for_epoch(epoch.wrapping_add(1));
        }
        self.run(self.all(), false);
        assert_eq!(self.bed.machine.mapped(), 0, "nothing stays mapped for ever");
    }

    fn receive_region(&self, client: usize) -> Vec<u8> {
        let memory = self.bed.clients[client].receive;
        memory.read(0, memory.bytes())
    }
}

/// Every client may send to every other one. Flows to clients with odd numbers allow the urgent class.
fn topology(each: bool) -> Topology {
    let mesh = Topology::mesh(CLIENTS, FRAMES, if each { Mapping::Each } else { Mapping::Keep });
    let flows = mesh.flows.iter().map(|flow| FlowRecord { urgent: (flow.target % 2) as u8, ..*flow });
    Topology { flows: flows.collect(), bytes_per_round: 6000, messages_per_round: 16, ..mesh }
}

/// The honest sender has a plain flow to the honest receiver, and a one-way flow to a hostile client. That
/// one has flows through the hostile and the honest guard: to the honest receiver through one after the
/// other, and a one-way flow to the honest sender through both at once.
fn guarded(each: bool) -> Topology {
    let mapping = if each { Mapping::Each } else { Mapping::Keep };
    let mut topology = Topology::mesh(CLIENTS + 1, FRAMES, mapping);
    topology.flows = vec![
        Topology::flow(0, 1, mapping),
        FlowRecord { one_way: 1, max_message: MAX_ONE_WAY, ..Topology::flow(0, 2, mapping) },
    ];
    topology.add_guarded(2, 1, &[(&[HONEST_GUARD], 1), (&[HOSTILE_GUARD], 1)], mapping, 3);
    topology.add_guarded(2, 0, &[(&[HOSTILE_GUARD, HONEST_GUARD], 2)], mapping, 3);
    for flow in topology.flows.iter_mut().filter(|flow| flow.stages != 0) {
        (flow.max_message, flow.one_way) = (LONGEST, u32::from(flow.target == 0));
    }
    Topology { bytes_per_round: 6000, messages_per_round: 16, ..topology }
}
