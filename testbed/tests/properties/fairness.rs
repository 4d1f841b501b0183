//! Shares: while every sender has something to send, each honest one gets its part of what central copies,
//! whatever the others do.

use ferry_central::Side;
use ferry_client::{Message, Peer};
use ferry_layout::config::Mapping;
use ferry_layout::geometry::MAX_CLIENTS;
use ferry_testbed::{Action, Testbed, Topology, buffer_bytes};
use proptest::prelude::*;

/// Bytes of each buffer.
const BUFFER: u32 = 2048;
/// Frames of each region: 128 such buffers.
const FRAMES: usize = 64;
/// Messages that each sender has ready.
const MESSAGES: usize = 120;

/// What a sender has ready.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// Messages of about this length.
    Honest(u32),
    /// As many descriptors as there are buffers, all of which are refused.
    Refused,
    /// Messages of 0 bytes.
    Empty,
    /// Chains of small parts.
    Chains,
}

impl Load {
    fn is_honest(self) -> bool {
        matches!(self, Self::Honest(_))
    }
}

fn load() -> impl Strategy<Value = Load> {
    prop_oneof![
        4 => (600..=BUFFER).prop_map(Load::Honest),
        1 => Just(Load::Refused),
        1 => Just(Load::Empty),
        1 => Just(Load::Chains),
    ]
}

proptest! {
    #![proptest_config(crate::cases(24))]

    /// Guarantee 7: within 10 % of the fair share, counted in bytes, until the first honest sender has
    /// nothing left.
    #[test]
    fn every_honest_sender_gets_its_share(loads in prop::collection::vec(load(), 2..5), quantum in 2048..5000_u32) {
        let honest: Vec<usize> = (0..loads.len()).filter(|sender| loads[*sender].is_honest()).collect();
        let copied = trace(&loads, quantum);
        let mut left: Vec<u64> = honest.iter().map(|sender| total(&copied, *sender)).collect();
        let mut carried = vec![0_u64; loads.len()];
        for (sender, bytes) in &copied {
            carried[*sender] += u64::from(*bytes);
            if let Some(place) = honest.iter().position(|honest| honest == sender) {
                left[place] -= u64::from(*bytes);
                if left[place] == 0 {
                    break;
                }
            }
        }
        let fair = carried.iter().sum::<u64>() / loads.len() as u64;
        for sender in honest {
            prop_assert!(
                carried[sender] * 10 >= fair * 9,
                "sender {} of {:?} carried {:?}, {} would be fair", sender, loads, carried, fair
            );
        }
    }
}

fn total(copied: &[(usize, u32)], sender: usize) -> u64 {
    copied.iter().filter(|(other, _)| *other == sender).map(|(_, bytes)| u64::from(*bytes)).sum()
}

/// Lets every sender fill its ring for a receiver of its own, and runs central. Returns the copies in order,
/// each with its sender and its bytes.
fn trace(loads: &[Load], quantum: u32) -> Vec<(usize, u32)> {
    let senders = u16::try_from(loads.len()).expect("few senders");
    let topology = Topology {
        clients: vec![buffer_bytes(FRAMES); 2 * loads.len()],
        flows: (0..senders).map(|sender| Topology::flow(sender, senders + sender, Mapping::Each)).collect(),
        bytes_per_round: quantum,
        messages_per_round: 64,
        frame_bits: 12,
        stages: Vec::new(),
        audit_bytes: 0,
        partitions: Vec::new(),
    };
    let mut bed = Testbed::new(&topology);
    let mut ports = Vec::new();
    for ((sender, receiver), load) in (0..senders).zip(senders..).zip(loads) {
        let (mut port, _, receive) = bed.open(receiver);
        for buffer in receive.split::<MESSAGES>(BUFFER) {
            port.post(buffer, None).expect("room for a request");
        }
        port.publish();
        ports.push(port);
        let (mut port, transmit, _) = bed.open(sender);
        let peer = |domain| Peer { domain, ..Peer::default() };
        let mut buffers = transmit.split::<MESSAGES>(BUFFER).into_iter().peekable();
        while let Some(buffer) = buffers.next() {
            let enqueued = match load {
                Load::Honest(length) => port.send(peer(receiver), buffer, *length, Message::default()),
                Load::Refused => port.send(peer(sender), buffer, BUFFER, Message::default()),
                Load::Empty => port.send(peer(receiver), buffer, 0, Message::default()),
                Load::Chains => {
                    let mut chain = heapless::Vec::new();
                    chain.push((buffer, 100)).expect("room for a part");
                    while let Some(buffer) = buffers.next_if(|_| !chain.is_full()) {
                        chain.push((buffer, 100)).expect("room for a part");
                    }
                    port.send_chain(peer(receiver), &mut chain, Message::default())
                        .expect("room for a chain");
                    Ok(())
                }
            };
            enqueued.expect("room for a send");
        }
        port.publish();
        ports.push(port);
    }
    bed.machine.actions.clear();
    bed.run();
    copies(&bed)
}

/// The copies since the actions were cleared, each with its sender and its bytes.
fn copies(bed: &Testbed) -> Vec<(usize, u32)> {
    // In one turn only transmit frames of its sender are mapped, and they are mapped before the first copy.
    let mut sender = 0;
    let mut copied = Vec::new();
    for action in &bed.machine.actions {
        match action {
            Action::Map(client, Side::Transmit, _) => sender = usize::from(*client),
            Action::Copy(bytes) => copied.push((sender, *bytes)),
            _ => {}
        }
    }
    copied
}

/// All clients that a system can have send and receive, each to the next one. None gets ahead of another by
/// more than its part of a round, whatever its number.
#[test]
fn every_client_number_gets_the_same_share() {
    // On the express lane, and on the ordinary path.
    for no_signal in [false, true] {
        each_to_the_next(Message { no_signal, ..Message::default() });
    }
}

fn each_to_the_next(message: Message) {
    const EACH: usize = 40;
    let clients = u16::try_from(MAX_CLIENTS).expect("few clients");
    let next = |client: u16| (client + 1) % clients;
    let topology = Topology {
        clients: vec![buffer_bytes(FRAMES); MAX_CLIENTS],
        flows: (0..clients).map(|client| Topology::flow(client, next(client), Mapping::Each)).collect(),
        bytes_per_round: 2 * BUFFER,
        messages_per_round: 64,
        frame_bits: 12,
        stages: Vec::new(),
        audit_bytes: 0,
        partitions: Vec::new(),
    };
    let mut bed = Testbed::new(&topology);
    let mut ports = Vec::new();
    for client in 0..clients {
        let (mut port, transmit, receive) = bed.open(client);
        for buffer in receive.split::<EACH>(BUFFER) {
            port.post(buffer, None).expect("room for a request");
        }
        let peer = Peer { domain: next(client), ..Peer::default() };
        for buffer in transmit.split::<EACH>(BUFFER) {
            port.send(peer, buffer, BUFFER, message).expect("room for a send");
        }
        port.publish();
        ports.push(port);
    }
    bed.machine.actions.clear();
    bed.run();
    let mut carried = [0; MAX_CLIENTS];
    for (sender, _) in copies(&bed) {
        carried[sender] += 1;
        let (least, most) = (carried.iter().min(), carried.iter().max());
        assert!(least.zip(most).is_some_and(|(least, most)| most - least <= 4), "{carried:?}");
    }
    assert_eq!(carried, [EACH; MAX_CLIENTS]);
}
