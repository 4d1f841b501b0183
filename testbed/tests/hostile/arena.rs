//! The system in which hostile clients meet central: two hostile clients, and two honest ones whose memory is
//! full of canaries.
//!
//! Clients 0 and 1 are hostile and write to their pages as they like, without the client library. Clients 2
//! and 3 are honest: 2 sends, 3 receives. Whatever the hostile clients do, [`Arena::judge`] must find all
//! others unharmed.

use std::cell::Cell;
use std::rc::Rc;

use ferry_client::{Event, Message, Port, ReceiveBuffer, TransmitBuffer};
use ferry_layout::config::Mapping;
use ferry_layout::observe::{Access, AccessKind, set_hook};
use ferry_layout::{Address, Delivery, Descriptor, Kind, Post, PostKind, Standing, Status};
use ferry_testbed::{ClientMemory, Silent, Testbed, Topology};

/// The attacker.
pub(crate) const MALLORY: u16 = 0;
/// A second attacker, with which the first may collude.
pub(crate) const TRUDY: u16 = 1;
/// The honest sender.
pub(crate) const ALICE: u16 = 2;
/// The honest receiver. Attackers may send to it as well.
pub(crate) const BOB: u16 = 3;

/// The byte that fills every receive buffer at first.
const CANARY: u8 = 0xc5;
/// The byte that fills the transmit buffer of each client.
fn fill_byte(client: u16) -> u8 {
    0x10 + u8::try_from(client).expect("few clients")
}

const FRAMES: u32 = 16;
pub(crate) const REGION: u32 = FRAMES * 4096;
const BUFFER: u32 = 2048;

pub(crate) struct Arena {
    pub(crate) bed: Testbed,
    alice: Port<Silent>,
    bob: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    alice_receive: Option<ReceiveBuffer>,
    receive: Vec<ReceiveBuffer>,
}

impl Arena {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// An arena whose topology is changed from the plain mesh of four clients.
    pub(crate) fn with(change: impl FnOnce(&mut Topology)) -> Self {
        let mut topology = Topology::mesh(4, FRAMES as usize, Mapping::Each);
        change(&mut topology);
        let mut bed = Testbed::new(&topology);
        for (client, memory) in (0..).zip(&bed.clients) {
            memory.transmit.write(0, &vec![fill_byte(client); memory.transmit.bytes()]);
            memory.receive.write(0, &vec![CANARY; memory.receive.bytes()]);
        }
        let (alice, transmit, alice_receive) = bed.open(ALICE);
        let (bob, _, receive) = bed.open(BOB);
        let mut arena = Self {
            alice,
            bob,
            transmit: transmit.split::<8>(BUFFER).into_iter().collect(),
            alice_receive: alice_receive.split::<1>(BUFFER).pop(),
            receive: receive.split::<8>(BUFFER).into_iter().collect(),
            bed,
        };
        arena.hostile(MALLORY).enter(1);
        arena.hostile(TRUDY).enter(1);
        arena.bed.run();
        arena.bed.machine.actions.clear();
        arena
    }

    pub(crate) fn hostile(&self, client: u16) -> Hostile {
        Hostile(self.bed.clients[usize::from(client)])
    }

    /// Alice offers a buffer to anyone. Only for systems in which nobody may send to Alice.
    pub(crate) fn alice_posts(&mut self) {
        let buffer = self.alice_receive.take().expect("Alice has a buffer");
        self.alice.post(buffer, None).expect("Alice has a slot");
        self.alice.publish();
    }

    /// Bob offers a buffer to anyone.
    pub(crate) fn bob_posts(&mut self) {
        let buffer = self.receive.pop().expect("Bob has a buffer");
        self.bob.post(buffer, None).expect("Bob has a slot");
        self.bob.publish();
    }

    /// Bob opens a window of half a frame for Mallory. Returns the window's place.
    pub(crate) fn bob_opens_a_window(&mut self) -> (Address, ferry_client::Posted) {
        let buffer = self.receive.pop().expect("Bob has a buffer");
        let place = buffer.place();
        let mallory = self.bob.peer("client0").expect("a flow");
        let posted = self.bob.open_window(buffer, mallory).expect("Bob has a slot");
        self.bob.publish();
        (place, posted)
    }

    pub(crate) fn bob_withdraws(&mut self, posted: ferry_client::Posted) {
        assert!(self.bob.withdraw(posted));
        self.bob.publish();
    }

    /// Takes everything that Bob has received. Returns the source and the length of each message. Checks that
    /// all bytes of a message are the source's fill byte, and that the rest of the buffer is unchanged.
    pub(crate) fn bob_receives(&mut self) -> Vec<(u16, u32)> {
        let mut got = Vec::new();
        while let Some(event) = self.bob.receive() {
            match event {
                Event::Message { source, length, buffer, .. } => {
                    let (message, rest) = buffer.bytes().split_at(length as usize);
                    let fill = fill_byte(source.number());
                    assert!(message.iter().all(|byte| *byte == fill), "only bytes of {source:?}");
                    assert!(rest.iter().all(|byte| *byte == CANARY), "the rest of the buffer is unchanged");
                    let place = buffer.place();
                    let memory = self.bed.clients[usize::from(BOB)].receive;
                    memory.write((place.frame * 4096 + place.offset) as usize, &[CANARY; BUFFER as usize]);
                    self.receive.push(buffer);
                    got.push((source.number(), length));
                }
                Event::Placed { source, length, .. } => got.push((source.number(), length)),
                Event::Returned(buffer) => self.receive.push(buffer),
            }
        }
        self.bob.publish();
        got
    }

    /// Alice sends to Bob. [`judge`](Self::judge) checks that nothing of that is lost.
    pub(crate) fn alice_sends(&mut self, length: u32) {
        let buffer = self.transmit.pop().expect("Alice has a buffer");
        let peer = self.alice.peer("client3").expect("a flow");
        self.alice.send(peer, buffer, length, Message::default()).expect("Alice has a slot");
        self.alice.publish();
    }

    pub(crate) fn alice_reaps(&mut self) -> Option<Status> {
        let done = self.alice.reap()?;
        self.transmit.push(done.buffer);
        Some(done.status)
    }

    /// Runs central. Returns how often it read shared memory.
    pub(crate) fn run_counted(&mut self) -> u32 {
        let count = Rc::new(Cell::new(0_u32));
        let counter = count.clone();
        set_hook(Some(Box::new(move |access: Access| {
            counter.set(counter.get() + u32::from(access.kind == AccessKind::Load));
        })));
        self.bed.run();
        set_hook(None);
        count.get()
    }

    /// Runs central and calls `attack` before each of its reads and after each action, with the number of
    /// that event. Returns the number of events.
    pub(crate) fn run_under(&mut self, attack: impl FnMut(u32) + 'static) -> u32 {
        let count = Rc::new(Cell::new(0_u32));
        let attack = Rc::new(std::cell::RefCell::new(attack));
        let event = {
            let count = count.clone();
            move || {
                // What the attack itself reads during an action is no event.
                if let Ok(mut attack) = attack.try_borrow_mut() {
                    attack(count.get());
                    count.set(count.get() + 1);
                }
            }
        };
        let at_action = event.clone();
        self.bed.machine.interposer = Some(Box::new(move |_| at_action()));
        set_hook(Some(Box::new(move |access: Access| {
            if access.kind == AccessKind::Load {
                event();
            }
        })));
        self.bed.run();
        set_hook(None);
        self.bed.machine.interposer = None;
        count.get()
    }

    /// Checks that all but the hostile clients are unharmed. Alice can send to Bob in every length, and
    /// exactly the bytes of Alice arrive. No byte outside what was offered has changed in the memory of any
    /// client. Nothing is mapped.
    pub(crate) fn judge(&mut self) {
        self.bob_receives();
        while self.alice_reaps().is_some() {}
        // Valid messages of the hostile clients may use up Bob's requests. So Bob posts until Alice's message
        // arrives.
        for length in [0, 1, 63, BUFFER] {
            self.alice_sends(length);
            let mut got = Vec::new();
            for _ in 0..8 {
                if !self.receive.is_empty() {
                    self.bob_posts();
                }
                self.bed.run();
                got.extend(self.bob_receives());
                if got.contains(&(ALICE, length)) {
                    break;
                }
            }
            assert!(got.contains(&(ALICE, length)), "Bob got {got:?}, not Alice's {length} bytes");
            assert_eq!(self.alice_reaps(), Some(Status::Done));
        }
        assert_eq!(self.bed.machine.mapped(), 0, "nothing is left mapped");
        for (client, memory) in (0..).zip(&self.bed.clients) {
            let fill = vec![fill_byte(client); REGION as usize];
            assert!(memory.transmit.read(0, REGION as usize) == fill, "a transmit buffer is unchanged");
        }
        let others = [ALICE, BOB].map(|client| self.bed.clients[usize::from(client)].receive);
        for (memory, offered) in others.into_iter().zip([0, 8 * BUFFER as usize]) {
            let beyond = REGION as usize - offered;
            let untouched = memory.read(offered, beyond) == vec![CANARY; beyond];
            assert!(untouched, "what was not offered is unchanged");
        }
    }

    /// Range of the bytes of `client`'s receive buffer that have changed: from the first to one past the
    /// last.
    pub(crate) fn changed(&self, client: u16) -> Option<(usize, usize)> {
        let bytes = self.bed.clients[usize::from(client)].receive.read(0, REGION as usize);
        let first = bytes.iter().position(|byte| *byte != CANARY)?;
        let last = bytes.iter().rposition(|byte| *byte != CANARY)?;
        Some((first, last + 1))
    }

    /// Gives all memory back.
    pub(crate) fn end(self) {
        let Self { bed, alice, bob, transmit, alice_receive, receive } = self;
        drop((alice, bob, transmit, alice_receive, receive));
        // SAFETY: ports and buffers were just dropped, and no `Hostile` is used after the end of its arena.
        unsafe { bed.free() };
    }
}

/// Write access of a hostile client to its own pages.
#[derive(Clone, Copy)]
pub(crate) struct Hostile(pub(crate) ClientMemory);

impl Hostile {
    /// Asks for `epoch`, with all indices at 0.
    pub(crate) fn enter(self, epoch: u32) {
        self.0.from_client.transmit_tail.publish(0);
        self.0.from_client.post_tail.publish(0);
        self.0.from_client.delivery_head.publish(0);
        self.0.from_client.withdrawals.publish(0);
        self.0.from_client.wake.arm();
        self.0.from_client.ask_for_epoch(epoch);
    }

    /// Stores a descriptor, without publishing it.
    pub(crate) fn write(self, index: u32, descriptor: Descriptor) {
        self.0.from_client.descriptors.store(index, descriptor);
    }

    /// Publishes the descriptors before `tail`.
    pub(crate) fn tail(self, tail: u32) {
        self.0.from_client.transmit_tail.publish(tail);
    }

    /// Stores a request and publishes everything up to it.
    pub(crate) fn post(self, index: u32, post: Post) {
        self.0.from_client.posts.store(index, post);
        self.0.from_client.post_tail.publish(index.wrapping_add(1));
    }

    /// Withdraws the request in the slot of `index`.
    pub(crate) fn withdraw(self, index: u32) {
        self.0.from_client.withdraw(index);
        self.0.from_client.withdrawals.publish(self.0.from_client.withdrawals.observe().wrapping_add(1));
    }

    pub(crate) fn standing(self) -> Standing {
        self.0.to_client.standing()
    }

    pub(crate) fn status(self, index: u32) -> Option<Status> {
        self.0.to_client.status(index).get(index)
    }

    pub(crate) fn delivery(self, index: u32) -> Delivery {
        self.0.to_client.deliveries.load(index)
    }

    pub(crate) fn delivery_tail(self) -> u32 {
        self.0.to_client.delivery_tail.observe()
    }

    pub(crate) fn transmit_head(self) -> u32 {
        self.0.to_client.transmit_head.observe()
    }
}

/// A valid message.
pub(crate) fn message(target: u16, length: u32) -> Descriptor {
    Descriptor { target, length, kind: Kind::NextBuffer as u8, ..Descriptor::default() }
}

/// A valid posted buffer.
pub(crate) fn buffer(frame: u32, length: u32) -> Post {
    Post {
        place: Address { frame, offset: 0 },
        length,
        from: Post::ANYONE,
        kind: PostKind::Buffer as u8,
        marks: 0,
    }
}
