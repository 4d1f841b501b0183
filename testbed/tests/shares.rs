//! A receiver's buffers are shared out fairly among its senders. The tests scan over numbers of senders,
//! buffers and backlogs, lengths of messages, and ways to be woken. Each sender gets at least 90 % of its
//! fair part (guarantee 7).

use ferry_central::ClientSet;
use ferry_client::{Message, Outgoing, Peer, Port, TransmitBuffer};
use ferry_layout::config::Mapping;
use ferry_testbed::{Silent, Testbed, Topology, id};

/// The receiver's number. The senders have the next numbers. If there is room, one more client follows that
/// only signals.
const RECEIVER: u16 = 0;

/// Which clients signal central.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wakes {
    /// Every sender at each look, whether or not it has published something.
    Always,
    /// As with the client library: a sender that has published something, if central asks for signals.
    WhenPublished,
    /// One sender at each look, in turn.
    OneByOne,
    /// Only a client that has nothing to send. Central finds what senders publish by itself or at the tick.
    OnlyAnother,
}

/// One arrangement of senders that compete for the receiver's buffers.
#[derive(Clone, Debug)]
struct Contest {
    /// Bytes of each sender's messages.
    lengths: Vec<u32>,
    /// Senders whose messages are urgent.
    urgent: Vec<u16>,
    buffers: u32,
    backlog: u32,
    wakes: Wakes,
    messages_per_round: u32,
    bytes_per_round: u32,
}

impl Contest {
    fn equal(senders: usize, buffers: u32, backlog: u32, wakes: Wakes) -> Self {
        Self {
            lengths: vec![64; senders],
            urgent: Vec::new(),
            buffers,
            backlog,
            wakes,
            messages_per_round: 128,
            bytes_per_round: 256 * 1024,
        }
    }

    /// Lets all clients look `looks` times and runs central each time. Returns the number of messages from
    /// each sender.
    fn play(&self, looks: usize) -> Vec<u64> {
        let longest = *self.lengths.iter().max().unwrap();
        let frames = (longest as usize * 128).div_ceil(4096);
        let senders = u16::try_from(self.lengths.len()).unwrap();
        let clients = (senders + 2).min(32);
        let mut topology = Topology::mesh(clients, frames, Mapping::Keep);
        topology.flows.retain(|flow| flow.target == RECEIVER && flow.source <= senders);
        for flow in &mut topology.flows {
            flow.urgent = u8::from(self.urgent.contains(&flow.source));
        }
        topology.messages_per_round = self.messages_per_round;
        topology.bytes_per_round = self.bytes_per_round;
        let mut bed = Testbed::new(&topology);
        bed.machine.records = false;
        let mut ports: Vec<_> = (0..clients).map(|client| bed.open(client)).map(Some).collect();
        let (mut receiver, _, memory) = ports[0].take().unwrap();
        for buffer in memory.split::<128>(longest).into_iter().take(self.buffers as usize) {
            receiver.post(buffer, None).unwrap();
        }
        receiver.publish();
        let mut sources: Vec<Sender> = (1..=senders)
            .map(|number| {
                let (port, transmit, _) = ports[usize::from(number)].take().unwrap();
                let buffers = transmit.split::<128>(longest).into_iter().take(self.backlog as usize);
                Sender {
                    peer: port.peer("client0").unwrap(),
                    port,
                    free: buffers.collect(),
                    length: self.lengths[usize::from(number) - 1],
                    urgent: self.urgent.contains(&number),
                }
            })
            .collect();
        let mut got = vec![0; usize::from(senders)];
        for look in 0..looks {
            let mut woken = ClientSet::EMPTY;
            for (number, source) in (1_u16..).zip(&mut sources) {
                let published =
                    source.refill() && bed.clients[usize::from(number)].to_client.wake.asks_for_signal();
                let signals = match self.wakes {
                    Wakes::Always => true,
                    Wakes::WhenPublished => published,
                    Wakes::OneByOne => look % usize::from(senders) + 1 == usize::from(number),
                    Wakes::OnlyAnother => false,
                };
                if signals {
                    woken.insert(id(number));
                }
            }
            if self.wakes == Wakes::OnlyAnother {
                woken.insert(id(clients - 1));
            }
            let mut taken = false;
            receiver
                .receive_each(|event| match event {
                    ferry_client::Event::Message { source, buffer, .. } => {
                        got[source.index() - 1] += 1;
                        taken = true;
                        Some(buffer)
                    }
                    other => panic!("{other:?}"),
                })
                .unwrap();
            receiver.publish();
            if taken && bed.clients[0].to_client.wake_for_requests.asks_for_signal() {
                woken.insert(id(RECEIVER));
            }
            bed.engine.run(&mut bed.machine, woken, look % 53 == 52);
        }
        drop((receiver, sources, ports));
        // SAFETY: all ports and buffers were just dropped.
        unsafe { bed.free() };
        got
    }

    /// Asserts that the service of each sender was at least 90 % of an equal part.
    #[track_caller]
    fn is_fair(&self, looks: usize) {
        let got = self.play(looks);
        let price = |length: u32| {
            let by_bytes = f64::from(length) / f64::from(self.bytes_per_round);
            by_bytes.max(1.0 / f64::from(self.messages_per_round))
        };
        #[expect(clippy::cast_precision_loss, reason = "few messages")]
        let service: Vec<f64> =
            got.iter().zip(&self.lengths).map(|(count, length)| *count as f64 * price(*length)).collect();
        #[expect(clippy::cast_precision_loss, reason = "few senders")]
        let fair = service.iter().sum::<f64>() / service.len() as f64;
        let least = service.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(got.iter().sum::<u64>() >= 50 * got.len() as u64, "{self:?}: little was sent, {got:?}");
        assert!(least >= 0.9 * fair, "{self:?}: {got:?}");
    }
}

/// A sender that keeps as many messages under way as it has buffers.
struct Sender {
    port: Port<Silent>,
    peer: Peer,
    free: Vec<TransmitBuffer>,
    length: u32,
    urgent: bool,
}

impl Sender {
    /// Sends a message with each buffer that is free. Returns whether it published anything.
    fn refill(&mut self) -> bool {
        let message = Message { urgent: self.urgent, ..Message::default() };
        let (peer, length) = (self.peer, self.length);
        for buffer in self.free.drain(..) {
            self.port.send(peer, buffer, length, message).unwrap();
        }
        self.port.reap_each(|done| Some(Outgoing { peer, buffer: done.buffer, length, message })).unwrap();
        self.port.publish()
    }
}

const ALL_WAKES: [Wakes; 4] = [Wakes::Always, Wakes::WhenPublished, Wakes::OneByOne, Wakes::OnlyAnother];

#[test]
fn t100_buffers_are_shared_out_whoever_signals() {
    for senders in [2, 3, 15, 30, 31] {
        for buffers in [1, 4, 32, 128] {
            for backlog in [1, 48, 128] {
                for wakes in ALL_WAKES {
                    if wakes == Wakes::OnlyAnother && senders == 31 {
                        continue;
                    }
                    let contest = Contest::equal(senders, buffers, backlog, wakes);
                    // Enough looks for a hundred messages of each sender, if all buffers are filled between
                    // two looks.
                    let looks = (senders * 100 / buffers as usize).max(100);
                    let looks = match wakes {
                        Wakes::OnlyAnother => looks.max(53 * 60),
                        Wakes::OneByOne => looks.max(senders * 60),
                        Wakes::Always | Wakes::WhenPublished => looks,
                    };
                    contest.is_fair(looks);
                }
            }
        }
    }
}

#[test]
fn t101_small_shares_of_a_round_do_not_decide_who_gets_buffers() {
    for wakes in [Wakes::Always, Wakes::WhenPublished] {
        for messages_per_round in [1, 8] {
            let contest = Contest { messages_per_round, ..Contest::equal(15, 32, 48, wakes) };
            contest.is_fair(1000);
        }
    }
}

#[test]
fn t102_bytes_count_where_messages_differ_in_length() {
    for wakes in [Wakes::Always, Wakes::WhenPublished] {
        for buffers in [1, 8, 32] {
            let contest = Contest {
                lengths: vec![64, 4096, 16384, 1024],
                bytes_per_round: 64 * 1024,
                messages_per_round: 64,
                ..Contest::equal(4, buffers, 48, wakes)
            };
            contest.is_fair(6000 / buffers as usize);
        }
    }
}

#[test]
fn t103_urgent_messages_take_no_more_than_their_part() {
    for wakes in [Wakes::Always, Wakes::WhenPublished] {
        for buffers in [1, 8, 32] {
            let contest = Contest { urgent: vec![2], ..Contest::equal(3, buffers, 48, wakes) };
            contest.is_fair(2000 / buffers as usize * 2);
        }
    }
}

/// Messages of more than one step claim their buffers and take several rounds.
#[test]
fn t104_long_messages_beside_short_ones() {
    let contest = Contest {
        lengths: vec![100_000, 1000],
        bytes_per_round: 64 * 1024,
        messages_per_round: 64,
        ..Contest::equal(2, 4, 16, Wakes::Always)
    };
    contest.is_fair(3000);
}
