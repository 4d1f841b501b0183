//! The loops of a guard: what they take, where they stop, and what they leave.

use ferry_client::{Answered, Message, Peer, Port, ReceiveBuffer, TransmitBuffer};
use ferry_layout::config::Mapping;
use ferry_testbed::{Silent, Testbed, Topology};
use heapless::Vec;

const BYTES: u32 = 512;

/// A sender, a receiver, and a guard between them that has posted its buffers.
struct Scene {
    bed: Testbed,
    sender: Port<Silent>,
    peer: Peer,
    transmit: Vec<TransmitBuffer, 8>,
    receiver: Port<Silent>,
    receive: Vec<ReceiveBuffer, 8>,
    guard: Port<Silent>,
    answered: Answered,
}

impl Scene {
    fn new() -> Self {
        let mut bed = Testbed::new(&Topology::guarded(&[(&[2], 1)], Mapping::Each, 50));
        let (sender, transmit, _) = bed.open(0);
        let (receiver, _, receive) = bed.open(1);
        let (mut guard, _, memory) = bed.open(2);
        for buffer in memory.split::<8>(BYTES) {
            guard.post(buffer, None).unwrap();
        }
        guard.publish();
        let peer = sender.peer("client1").unwrap();
        let (transmit, receive) = (transmit.split(BYTES), receive.split(BYTES));
        Self { bed, sender, peer, transmit, receiver, receive, guard, answered: Answered::new() }
    }

    fn send(&mut self) {
        self.sender.send(self.peer, self.transmit.pop().unwrap(), 8, Message::default()).unwrap();
        self.sender.publish();
        self.bed.run();
    }

    /// The receiver posts a buffer.
    fn post(&mut self) {
        self.receiver.post(self.receive.pop().unwrap(), None).unwrap();
        self.receiver.publish();
    }

    /// The guard passes everything that it has, in one loop. Returns how many that are, and what the loop
    /// says.
    fn inspect_each(&mut self) -> (u32, bool) {
        let mut count = 0;
        let stops = self.guard.inspect_each(&mut self.answered, |_| {
            count += 1;
            (true, 0)
        });
        self.guard.publish();
        self.bed.run();
        (count, stops)
    }

    fn reap_answers(&mut self) {
        self.guard.reap_answers(&mut self.answered).unwrap();
        self.guard.publish();
        self.bed.run();
    }

    /// The sender and the receiver take what they have got.
    fn take(&mut self) {
        while let Some(done) = self.sender.reap() {
            self.transmit.push(done.buffer).ok().unwrap();
        }
        while let Some(ferry_client::Event::Message { buffer, .. }) = self.receiver.receive() {
            self.receive.push(buffer).ok().unwrap();
        }
        self.receiver.publish();
    }
}

/// For more than a lap of the ring of answers.
#[test]
fn a_loop_takes_all_inspections_and_gives_back_the_buffers_of_all_that_have_ended() {
    let mut scene = Scene::new();
    for round in 0..100 {
        for _ in 0..2 {
            scene.post();
            scene.send();
        }
        assert_eq!(scene.inspect_each(), (2, false), "round {round}");
        assert_eq!(scene.inspect_each(), (0, false), "round {round}");
        // The second time, there is nothing.
        for _ in 0..2 {
            scene.reap_answers();
            assert_eq!(scene.guard.outstanding(), 0, "round {round}");
        }
        scene.take();
    }
}

/// The answer to the second message waits for a buffer of the receiver, and a later one has ended.
#[test]
fn while_answers_end_in_another_order_the_loop_leaves_the_inspections() {
    let mut scene = Scene::new();
    scene.post();
    (0..3).for_each(|_| scene.send());
    let [first, second, third] = [(); 3].map(|()| scene.guard.inspect().unwrap());
    for inspection in [second, first, third] {
        scene.guard.answer_and_keep(&mut scene.answered, inspection, true, 0).unwrap();
    }
    scene.guard.publish();
    scene.bed.run();
    scene.reap_answers();
    assert_eq!(scene.inspect_each(), (0, false), "there is none");
    scene.send();
    assert_eq!(scene.inspect_each(), (0, true), "it is left");
    assert!(scene.guard.inspect().is_some());
}
