//! A sender, a receiver and guards that write their rings by themselves. So a guard can do anything.

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, DeliveryKind, Descriptor, Verdict, flags};
use ferry_testbed::{Testbed, Topology};

#[path = "../shared/actor.rs"]
mod actor;

pub(crate) use actor::{Actor, at};

/// The sender of every stage, its receiver, and the first guard.
pub(crate) const SENDER: u16 = 0;
pub(crate) const RECEIVER: u16 = 1;
pub(crate) const GUARD: u16 = 2;

/// Bytes between two buffers of a client. A buffer is as long, unless a test says otherwise.
pub(crate) const STRIDE: u32 = 512;

/// All of them.
pub(crate) struct Stage {
    pub(crate) bed: Testbed,
    pub(crate) actors: Vec<Actor>,
    /// The numbers of the guards.
    guards: Vec<u16>,
}

impl Actor {
    /// Sends `bytes` to `target` from the place of the buffer of this number.
    pub(crate) fn send(&mut self, target: u16, buffer: u32, bytes: &[u8]) -> u32 {
        let start = buffer * STRIDE;
        self.memory.transmit.write(start as usize, bytes);
        self.publish(Descriptor {
            source: at(start),
            length: u32::try_from(bytes.len()).unwrap(),
            target,
            tag: u64::from(buffer) + 100,
            ..Descriptor::default()
        })
    }

    /// Changes bytes of a buffer to send.
    pub(crate) fn rewrite(&self, buffer: u32, bytes: &[u8]) {
        self.memory.transmit.write((buffer * STRIDE) as usize, bytes);
    }

    /// Posts the buffer of this number.
    pub(crate) fn post(&mut self, buffer: u32) -> u32 {
        self.post_at(buffer * STRIDE, STRIDE)
    }

    /// What has arrived since the last call.
    pub(crate) fn take(&mut self) -> Vec<Delivery> {
        self.deliveries()
    }

    /// What has to be inspected since the last call. Nothing else may have arrived.
    pub(crate) fn inspections(&mut self) -> Vec<Delivery> {
        let all = self.take();
        assert!(all.iter().all(|delivery| delivery.kind == DeliveryKind::Inspection as u8), "{all:?}");
        all
    }

    /// Answers an inspection. Returns the index of the verdict.
    pub(crate) fn answer(&mut self, inspection: &Delivery, passes: bool) -> u32 {
        self.answer_ticket(inspection.sequence, passes)
    }

    pub(crate) fn answer_ticket(&mut self, ticket: u64, passes: bool) -> u32 {
        self.publish(Verdict { ticket, passes, reason: 7 }.descriptor())
    }

    /// Inspects everything that there is, and passes it. Returns how many that were.
    pub(crate) fn pass_all(&mut self) -> usize {
        let inspections = self.inspections();
        for inspection in &inspections {
            self.answer(inspection, true);
        }
        inspections.len()
    }

    /// The bytes that a delivery is about.
    pub(crate) fn bytes(&self, delivery: &Delivery) -> Vec<u8> {
        self.memory.receive.read(delivery.position as usize, delivery.length as usize)
    }
}

impl Stage {
    /// A stage with one flow, from the sender to the receiver, through these guards.
    pub(crate) fn new(stages: &[(&[u16], u32)]) -> Self {
        Self::of(&Topology::guarded(stages, Mapping::Each, 50))
    }

    pub(crate) fn of(topology: &Topology) -> Self {
        let mut bed = Testbed::new(topology);
        let count = u16::try_from(bed.clients.len()).unwrap();
        let actors = (0..count).map(|number| Self::open(&mut bed, number)).collect();
        let is_guard = |number: &u16| topology.stages.iter().any(|stage| stage.members >> number & 1 != 0);
        Self { bed, actors, guards: (0..count).filter(is_guard).collect() }
    }

    /// Starts a client. Its port is only used to open the epoch.
    fn open(bed: &mut Testbed, number: u16) -> Actor {
        std::mem::forget(bed.open(number));
        Actor::new(bed.clients[usize::from(number)])
    }

    /// Starts a client anew.
    pub(crate) fn reopen(&mut self, number: u16) {
        self.actors[usize::from(number)] = Self::open(&mut self.bed, number);
    }

    pub(crate) fn actor(&mut self, number: u16) -> &mut Actor {
        &mut self.actors[usize::from(number)]
    }

    pub(crate) fn sender(&mut self) -> &mut Actor {
        self.actor(SENDER)
    }

    pub(crate) fn receiver(&mut self) -> &mut Actor {
        self.actor(RECEIVER)
    }

    pub(crate) fn guard(&mut self) -> &mut Actor {
        self.actor(GUARD)
    }

    /// Every client but the sender posts this many buffers.
    pub(crate) fn post_everywhere(&mut self, buffers: u32) {
        for actor in &mut self.actors[1..] {
            for buffer in 0..buffers {
                actor.post(buffer);
            }
        }
    }

    /// Runs central. Nothing may be mapped after it.
    pub(crate) fn run(&mut self) {
        self.bed.run();
        assert_eq!(self.bed.machine.mapped(), 0, "policy `each` leaves nothing mapped");
    }

    /// Lets all guards pass what they have, until nobody has anything.
    pub(crate) fn pass_everything(&mut self) {
        loop {
            self.run();
            let passed: usize =
                self.guards.iter().map(|guard| self.actors[usize::from(*guard)].pass_all()).sum();
            if passed == 0 {
                return;
            }
        }
    }
}

/// The parts of a chain: each has the flag but the last.
pub(crate) fn chained(last: bool) -> u8 {
    if last { 0 } else { flags::CHAINED }
}
