//! A guard in the hands of an attacker. What it does with a message depends on its tag:
//!
//! * 0: posts the place of the message again, and passes the message when that was refused. Central looks at
//!   what a guard posts once in each tick, and not at all if nothing needs it before the verdict.
//! * 1: passes it, then refuses it.
//! * 2: refuses it, then passes it.
//! * 3: answers for every ticket near its own, of other guards, other lives and other slots; not for its own.
//!   Meanwhile message 11 is open at the honest members of a quorum.
//! * 4: never answers.
//! * 5: says more about nothing than a ring holds, then passes the message.
//! * 6: passes it. The honest guard before it has refused it, so it never comes.
//! * 7: refuses what the others of its quorum pass.
//! * 8, 11: passes what the others of its quorum refuse. They run after it, because of their priorities.
//! * 9, 10: keeps both until 13 says that the sender has rewritten them, then passes the newer one first.
//! * 12, 13: passes it.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Completion, Doorbell, Event, Inspection, Port, ReceiveMemory, Status, TransmitMemory,
};
use heapless::{Deque, Vec};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Hostile::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 64;
/// Verdicts about nothing in case 5: more than two rings hold. Their tickets are the highest numbers.
const FLOOD: u32 = 300;
/// More deliveries than another guard has had by case 3.
const DELIVERIES: u64 = 8;

struct Hostile {
    /// What it has to say, as soon as the ring has room: tickets, and whether they pass.
    to_say: Deque<(u64, bool), 512>,
    about_nothing: u32,
    /// The ticket of the message whose place it has posted again.
    posted_again: Option<u64>,
    /// The message about which it has said two things.
    twice: Twice,
    /// The messages that it keeps until the sender has rewritten them.
    kept: Vec<Inspection, 2>,
    is_rewritten: bool,
}

/// What became of two verdicts about one message.
#[derive(Default)]
struct Twice {
    case: u64,
    ticket: u64,
    /// How many have ended because the message has, and because there was nothing to inspect.
    counted: u32,
    refused: u32,
}

impl Twice {
    fn note(&mut self, status: Status) {
        match status {
            Status::Done => self.counted += 1,
            Status::NoInspection => self.refused += 1,
            other => runtime::println!("ferry: error a verdict ended with {other:?}"),
        }
        match (self.counted, self.refused) {
            (1, 1) => runtime::println!("case {}: one verdict of two has counted", self.case),
            (2, 0) | (0, 2) => runtime::println!("ferry: error case {}: both or none counted", self.case),
            _ => {}
        }
    }
}

impl Hostile {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        // One for each message that it sees: it never gets one back in good faith.
        for buffer in receive.split::<16>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        let (to_say, twice) = (Deque::new(), Twice::default());
        Self { to_say, about_nothing: 0, posted_again: None, twice, kept: Vec::new(), is_rewritten: false }
    }

    fn say(&mut self, ticket: u64, passes: bool) {
        self.to_say.push_back((ticket, passes)).expect("there is room for the longest case");
    }

    fn attack(&mut self, port: &mut Port<impl Doorbell>, inspection: Inspection) {
        let Inspection { ticket, tag, .. } = inspection;
        match tag {
            0 => {
                port.post(inspection.buffer, None).expect("the ring has room");
                self.posted_again = Some(ticket);
            }
            1 | 2 => {
                self.twice = Twice { case: tag, ticket, ..Twice::default() };
                self.say(ticket, tag == 1);
                self.say(ticket, tag != 1);
            }
            3 => {
                for wrong in [ticket ^ 1, ticket ^ 0x80, ticket - 256, ticket + 256, ticket ^ 1 << 40, 0] {
                    self.say(wrong, true);
                }
                let epoch = ticket >> 40 << 40;
                let slots_of = |delivery| (0..DELIVERIES).map(move |slot| epoch | delivery << 8 | slot);
                // How the two verdicts of case 2 have ended is not to be mistaken.
                let others = (0..DELIVERIES).flat_map(slots_of);
                for of_others in others.filter(|it| ![ticket, self.twice.ticket].contains(it)) {
                    self.to_say.push_back((of_others, true)).expect("there is room for the longest case");
                }
            }
            4 => {}
            5 => {
                for number in 0..u64::from(FLOOD) {
                    self.say(u64::MAX - number, true);
                }
                self.say(ticket, true);
            }
            7 => self.say(ticket, false),
            9 | 10 => self.kept.push(inspection).expect("there is a place for both"),
            13 => {
                self.is_rewritten = true;
                self.say(ticket, true);
            }
            _ => self.say(ticket, true),
        }
    }

    /// Passes what the sender has rewritten, the newest first.
    fn pass_kept(&mut self) {
        while let Some(inspection) = self.kept.pop() {
            // The honest guard before it has seen nothing else.
            if inspection.bytes().iter().any(|byte| *byte != b'g') {
                runtime::println!("ferry: error the bytes under inspection have changed");
            }
            self.say(inspection.ticket, true);
        }
    }

    fn note(&mut self, ended: &Completion) {
        if ended.tag > u64::MAX - u64::from(FLOOD) {
            self.about_nothing += u32::from(ended.status == Status::NoInspection);
            if self.about_nothing == FLOOD {
                runtime::println!("{FLOOD} verdicts about nothing");
            }
        } else if ended.tag == self.twice.ticket {
            self.twice.note(ended.status);
        }
    }
}

impl Client for Hostile {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            self.note(&ended);
        }
        loop {
            if let Some(inspection) = port.inspect() {
                self.attack(port, inspection);
            } else if let Some(event) = port.receive() {
                if matches!(event, Event::Returned(_)) {
                    runtime::println!("1 buffer refused");
                }
                if let Some(ticket) = self.posted_again.take() {
                    self.say(ticket, true);
                }
            } else {
                break;
            }
        }
        if self.is_rewritten {
            self.pass_kept();
        }
        while let Some((ticket, passes)) = self.to_say.front() {
            if port.answer(*ticket, *passes, 0).is_err() {
                // The ring is full. What ends makes room.
                return;
            }
            self.to_say.pop_front();
        }
    }
}
