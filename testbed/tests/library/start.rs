//! A started client is called when there is something for it to do, and at no other time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ferry_client::{
    Channel, ChannelSet, Client, Doorbell, Event, Message, OpenError, Peer, Port, ReceiveBuffer, Regions,
    Started,
};
use ferry_layout::config::Mapping;
use ferry_platform::Handler;
use ferry_testbed::{Silent, Testbed, Topology};

/// What the client has done, as the test sees it.
#[derive(Default)]
struct Notes {
    /// The channels of each call.
    calls: RefCell<Vec<u64>>,
    /// The messages that it takes at most in one call.
    appetite: Cell<usize>,
    tags: RefCell<Vec<u64>>,
    signals: Cell<u32>,
}

struct Taker {
    notes: Rc<Notes>,
}

impl Client for Taker {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, channels: ChannelSet) {
        self.notes.calls.borrow_mut().push(channels.bits());
        for _ in 0..self.notes.appetite.get() {
            let Some(event) = port.receive() else { return };
            let Event::Message { tag, buffer, .. } = event else { panic!("{event:?}") };
            self.notes.tags.borrow_mut().push(tag);
            port.post(buffer, None).unwrap();
        }
    }
}

/// A started client, number 1, and a client 0 that sends to it.
struct Scene {
    bed: Testbed,
    sender: Port<Silent>,
    peer: Peer,
    transmit: Vec<ferry_client::TransmitBuffer>,
    notes: Rc<Notes>,
}

/// The scene, and the client, which central has not let in yet.
fn scene() -> (Scene, impl Handler) {
    let mut bed = Testbed::new(&Topology::mesh(2, 16, Mapping::Each));
    let (sender, transmit, _) = bed.open(0);
    let peer = sender.peer("client1").unwrap();
    let transmit = transmit.split::<16>(2048).into_iter().collect();
    let notes = Rc::new(Notes::default());
    notes.appetite.set(usize::MAX);
    let (noted, of_client) = (Rc::clone(&notes), Rc::clone(&notes));
    let doorbell = move || noted.signals.set(noted.signals.get() + 1);
    let client = Started::new(bed.regions(1), doorbell, |port, _, receive| {
        for buffer in receive.split::<4>(2048) {
            post(port, buffer);
        }
        Taker { notes: of_client }
    });
    (Scene { bed, sender, peer, transmit, notes }, client)
}

fn post(port: &mut Port<impl Doorbell>, buffer: ReceiveBuffer) {
    port.post(buffer, None).unwrap();
}

impl Scene {
    fn send(&mut self, tag: u64) {
        let buffer = self.transmit.pop().unwrap();
        self.sender.send(self.peer, buffer, 8, Message::tagged(tag)).unwrap();
        self.sender.publish();
        self.bed.run();
    }

    fn calls(&self) -> Vec<u64> {
        self.notes.calls.take()
    }
}

fn signal(client: &mut impl Handler, channels: u64) {
    client.notified(ChannelSet::from_bits(channels));
}

#[test]
fn a_client_begins_when_central_lets_it_in_and_is_told_of_all_earlier_signals() {
    let (mut scene, mut client) = scene();
    assert_eq!(scene.notes.signals.get(), 1, "it has asked central to let it in");
    signal(&mut client, 1 << 3);
    signal(&mut client, 1 << 5);
    assert_eq!(scene.calls(), [], "it has no port yet");
    scene.bed.run();
    signal(&mut client, 1 << 3 | 1);
    assert_eq!(scene.calls(), [1 << 3 | 1 << 5 | 1]);
}

#[test]
fn a_client_that_begins_posts_and_receives() {
    let (mut scene, mut client) = scene();
    scene.bed.run();
    signal(&mut client, 1);
    scene.send(7);
    scene.send(8);
    scene.calls();
    signal(&mut client, 1);
    assert_eq!(*scene.notes.tags.borrow(), [7, 8]);
    assert_eq!(scene.calls(), [1], "it took everything, so it was called once");
}

#[test]
fn a_client_that_leaves_something_is_not_called_for_ever() {
    let (mut scene, mut client) = scene();
    scene.bed.run();
    signal(&mut client, 1);
    scene.notes.appetite.set(1);
    for tag in 0..4 {
        scene.send(tag);
    }
    scene.calls();
    signal(&mut client, 1);
    assert_eq!(scene.calls(), [1, 0, 0, 0], "as long as it takes something");
    assert_eq!(*scene.notes.tags.borrow(), [0, 1, 2, 3]);

    scene.notes.appetite.set(0);
    scene.send(4);
    signal(&mut client, 1);
    assert_eq!(scene.calls(), [1, 0], "once to see it, once to leave it");
    // What comes next wakes it, and then it finds both.
    scene.bed.machine.actions.clear();
    scene.send(5);
    assert_eq!(scene.bed.machine.signals(1), 1);
    scene.notes.appetite.set(usize::MAX);
    signal(&mut client, 1);
    assert_eq!(*scene.notes.tags.borrow(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_client_without_a_region_is_told_which() {
    let bed = Testbed::new(&Topology::mesh(1, 1, Mapping::Each));
    let out = ferry_testbed::Memory::of(bed.clients[0].from_client).region();
    // SAFETY: nothing comes of these regions.
    let error = unsafe { Regions::new(out, None, None, None) }.err().unwrap();
    assert_eq!(error, OpenError::Missing("ferry_in"));
    assert!(error.to_string().contains("`ferry_in`"));
    // SAFETY: as above.
    let error = unsafe { Regions::new(out, bed.clients[0].transmit.region(), out, out) }.err().unwrap();
    assert!(error.to_string().contains("`ferry_in`"), "{error}");
    assert!(error.to_string().contains("0x1000 bytes"), "{error}");
}

#[test]
fn a_channel_of_a_wake_up_is_found_in_its_set() {
    let channel = Channel::new(5).unwrap();
    assert!(ChannelSet::from_bits(1 << 5).contains(channel));
}

#[test]
fn a_program_takes_its_regions_once() {
    assert_eq!([(); 3].map(|()| ferry_client::may_take_regions()), [true, false, false]);
}
