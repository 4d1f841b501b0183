//! A filter in its protection domain, with a real central: what passes arrives, what does not ends with
//! `Refused`, and the guard's buffers come back to it for ever.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_client::{Answered, ChannelSet, Client, Message as Sent, Port, Status};
use ferry_guard::{Guard, Message, Verdict};
use ferry_layout::Post;
use ferry_layout::config::Mapping;
use ferry_testbed::{Silent, Testbed, Topology};

const SENDER: u16 = 0;
const RECEIVER: u16 = 1;
const GUARD: u16 = 2;

/// Passes what does not begin with a zero, and checks what it is told.
fn filter(message: &Message<'_>) -> Verdict {
    assert_eq!((message.source, message.target), ("client0", "client1"));
    match message.bytes.first() {
        Some(0) => Verdict::Refuse { reason: 1 },
        _ => Verdict::Pass,
    }
}

fn woken(guard: &mut impl Client, port: &mut Port<Silent>) {
    guard.woken(port, ChannelSet::default());
    port.flush();
    let _ = port.arm();
}

#[test]
fn what_passes_arrives_and_the_rest_is_refused() {
    let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
    topology.flows[0].max_message = 512;
    let mut bed = Testbed::new(&topology);
    let (mut sender, transmit, _) = bed.open(SENDER);
    let (mut receiver, _, receive) = bed.open(RECEIVER);
    let (mut port, _, memory) = bed.open(GUARD);
    let mut guard = Guard::new(&mut port, memory, filter);
    port.flush();
    let mut free = transmit.split::<32>(512);
    for buffer in receive.split::<32>(512) {
        receiver.post(buffer, None).unwrap();
    }
    receiver.flush();
    let peer = sender.peer("client1").unwrap();
    let (mut sent, mut ended, mut arrived) = (0_u64, 0_u64, Vec::new());
    while ended < 2000 {
        while sent < 2000
            && let Some(mut buffer) = free.pop()
        {
            buffer.bytes_mut()[..2].copy_from_slice(&[u8::from(sent % 3 != 0), 5]);
            sender.send(peer, buffer, 2, Sent::tagged(sent)).unwrap();
            sent += 1;
        }
        sender.flush();
        bed.run();
        woken(&mut guard, &mut port);
        bed.run();
        woken(&mut guard, &mut port);
        while let Some(done) = sender.reap() {
            let expected = if done.tag % 3 == 0 { Status::Refused } else { Status::Done };
            assert_eq!((done.tag, done.status), (ended, expected), "in their order");
            ended += 1;
            free.push(done.buffer).unwrap();
        }
        while let Some(event) = receiver.receive() {
            let ferry_client::Event::Message { tag, buffer, .. } = event else { panic!("{event:?}") };
            arrived.push(tag);
            receiver.post(buffer, None).unwrap();
        }
        receiver.flush();
    }
    assert_eq!(arrived, (0..2000).filter(|tag| tag % 3 != 0).collect::<Vec<u64>>());
}

/// Central may hand out the next message under the number of an earlier one before the guard has seen the end
/// of that one. The guard posts only what is its own all the same, and nothing stops.
#[test]
fn central_goes_on_while_the_filter_works() {
    let mut topology = Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50);
    topology.flows[0].max_message = 16 * 1024;
    let bed = Rc::new(RefCell::new(Testbed::new(&topology)));
    let (mut sender, transmit, _) = bed.borrow_mut().open(SENDER);
    let (mut receiver, _, receive) = bed.borrow_mut().open(RECEIVER);
    let (mut port, _, memory) = bed.borrow_mut().open(GUARD);
    let amid = Rc::clone(&bed);
    let mut guard = Guard::new(&mut port, memory, move |_: &Message<'_>| {
        amid.borrow_mut().run();
        Verdict::Pass
    });
    port.flush();
    for buffer in receive.split::<64>(512) {
        receiver.post(buffer, None).unwrap();
    }
    receiver.flush();
    let peer = sender.peer("client1").unwrap();
    for buffer in transmit.split::<64>(512) {
        sender.send(peer, buffer, 2, Sent::default()).unwrap();
    }
    sender.flush();
    let mut ended = 0;
    for _ in 0..200 {
        bed.borrow_mut().run();
        woken(&mut guard, &mut port);
        ended += std::iter::from_fn(|| sender.reap()).filter(|done| done.status == Status::Done).count();
    }
    assert_eq!(ended, 64, "without a tick");
    let refused = bed.borrow().clients[usize::from(GUARD)].to_client.counters.refused.get();
    assert_eq!(refused, 0, "no buffer was posted that is under inspection");
}

/// A message waits for its receiver, and one for another receiver does not. So the verdict about the first
/// one ends after the other. The guard answers all that comes then, as soon as it is woken.
#[test]
fn a_verdict_that_waits_holds_up_no_other() {
    const OTHER: u16 = GUARD + 1;
    let mut topology = Topology::mesh(OTHER + 1, 16, Mapping::Each);
    topology.flows.clear();
    for target in [RECEIVER, OTHER] {
        topology.add_guarded(SENDER, target, &[(&[GUARD], 1)], Mapping::Each, 50);
    }
    let mut bed = Testbed::new(&topology);
    let (mut sender, transmit, _) = bed.open(SENDER);
    let (mut receiver, _, receive) = bed.open(RECEIVER);
    let (mut other, _, memory_of_other) = bed.open(OTHER);
    let (mut port, _, memory) = bed.open(GUARD);
    let mut guard = Guard::new(&mut port, memory, |_: &Message<'_>| Verdict::Pass);
    port.flush();
    other.post(memory_of_other.split::<1>(512).pop().unwrap(), None).unwrap();
    other.flush();
    let mut free = transmit.split::<4>(512);
    let mut send = |target: &str| {
        let peer = sender.peer(target).unwrap();
        sender.send(peer, free.pop().unwrap(), 2, Sent::default()).unwrap();
        sender.flush();
    };
    ["client1", "client3"].into_iter().for_each(&mut send);
    for _ in 0..2 {
        bed.run();
        woken(&mut guard, &mut port);
    }
    ["client1", "client1"].into_iter().for_each(&mut send);
    bed.run();
    woken(&mut guard, &mut port);
    bed.run();
    let to_client = bed.clients[usize::from(GUARD)].to_client;
    let verdicts = [0, 1, 2, 3].map(|index| to_client.status(index).get(index));
    let (waits, done) = (Some(Status::Queued), Some(Status::Done));
    assert_eq!(verdicts, [waits, done, waits, waits]);
    for buffer in receive.split::<3>(512) {
        receiver.post(buffer, None).unwrap();
    }
    receiver.flush();
    bed.run();
    assert_eq!([0, 1, 2, 3].map(|index| to_client.status(index).get(index)), [done; 4]);
}

/// The answer to the second message comes first, and is held while its message waits for the receiver. So the
/// one that was given after it ends before it.
#[test]
fn a_buffer_is_posted_again_when_its_own_answer_has_ended() {
    let bed = Rc::new(RefCell::new(Testbed::new(&Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50))));
    let (mut sender, transmit, _) = bed.borrow_mut().open(SENDER);
    let (mut receiver, _, receive) = bed.borrow_mut().open(RECEIVER);
    let (mut port, _, memory) = bed.borrow_mut().open(GUARD);
    let mut free = receive.split::<3>(512);
    let mut post_one = |free: &mut heapless::Vec<_, 3>| {
        receiver.post(free.pop().unwrap(), None).unwrap();
        receiver.flush();
        bed.borrow_mut().run();
    };
    post_one(&mut free);
    for buffer in memory.split::<3>(512) {
        port.post(buffer, None).unwrap();
    }
    port.flush();
    let peer = sender.peer("client1").unwrap();
    for buffer in transmit.split::<3>(512) {
        sender.send(peer, buffer, 2, Sent::default()).unwrap();
    }
    sender.flush();
    bed.borrow_mut().run();
    let [first, second, third] = [(); 3].map(|()| port.inspect().unwrap());
    let places = [&first, &second, &third].map(|inspection| inspection.buffer.place());
    let mut answered = Answered::new();
    for inspection in [second, first, third] {
        port.answer_and_keep(&mut answered, inspection, true, 0).unwrap();
    }
    port.flush();
    bed.borrow_mut().run();
    let from_client = bed.borrow().clients[usize::from(GUARD)].from_client;
    let posted = |index| from_client.posts.load::<Post>(index).place;
    port.reap_answers(&mut answered).unwrap();
    port.flush();
    assert_eq!((posted(3), from_client.post_tail.observe(), port.outstanding()), (places[0], 4, 2));
    post_one(&mut free);
    post_one(&mut free);
    port.reap_answers(&mut answered).unwrap();
    port.flush();
    assert_eq!(([posted(4), posted(5)], from_client.post_tail.observe()), ([places[1], places[2]], 6));
    assert_eq!(port.outstanding(), 0);
}
