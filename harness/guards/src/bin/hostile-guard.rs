//! A guard in the hands of an attacker. What it does with a message depends on its tag:
//!
//! * 0: posts the place of the message again, and passes the message when that was refused. Central looks at
//!   what a guard posts once in each tick, and not at all if nothing needs it before the verdict.
//! * 1: passes it, then refuses it.
//! * 2: refuses it, then passes it.
//! * 3: answers for every ticket near its own, of other guards, other lives and other slots; not for its own.
//! * 4: never answers.
//! * 5: says much about nothing, then passes the message.
//! * 6: passes it. The honest guard before it has refused it, so it never comes.
//! * 7: refuses what the others of its quorum pass.
//! * 8: passes what the others of its quorum refuse.
//! * 9: gives the sender time to rewrite the message, then passes it.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Event, Inspection, Port, ReceiveMemory, Status, TransmitMemory,
};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Hostile::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 64;
/// Verdicts about nothing in case 5. Its ring has room for them beside what it says else.
const FLOOD: u32 = 16;

struct Hostile {
    about_nothing: u32,
    is_flooding: bool,
    /// The ticket of the message whose place it has posted again.
    posted_again: Option<u64>,
}

impl Hostile {
    fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
        // One for each message that it sees: it never gets one back in good faith.
        for buffer in receive.split::<16>(BYTES) {
            port.post(buffer, None).expect("the ring is empty");
        }
        Self { about_nothing: 0, is_flooding: false, posted_again: None }
    }

    fn attack(&mut self, port: &mut Port<impl Doorbell>, inspection: Inspection) {
        let Inspection { ticket, tag, buffer, .. } = inspection;
        let say = |port: &mut Port<_>, ticket: u64, passes: bool| {
            port.answer(ticket, passes, 0).expect("the ring has room");
        };
        match tag {
            0 => {
                port.post(buffer, None).expect("the ring has room");
                self.posted_again = Some(ticket);
            }
            1 | 2 => {
                say(port, ticket, tag == 1);
                say(port, ticket, tag != 1);
            }
            3 => {
                for wrong in [ticket ^ 1, ticket ^ 0x80, ticket - 256, ticket + 256, ticket ^ 1 << 40, 0] {
                    say(port, wrong, true);
                }
            }
            4 => {}
            5 => {
                self.is_flooding = true;
                for number in 0..u64::from(FLOOD) {
                    say(port, u64::MAX - number, true);
                }
                say(port, ticket, true);
            }
            7 => say(port, ticket, false),
            9 => {
                // The buffer is read, so that nobody takes this for a pause without an effect.
                let wrong = (0..100_000).filter(|at| buffer.bytes()[at % BYTES as usize] != b'g').count();
                if wrong != 0 {
                    runtime::println!("the bytes under inspection have changed");
                }
                say(port, ticket, true);
            }
            _ => say(port, ticket, true),
        }
    }
}

impl Client for Hostile {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            self.about_nothing += u32::from(self.is_flooding && ended.status == Status::NoInspection);
            if self.about_nothing == FLOOD {
                runtime::println!("{FLOOD} verdicts about nothing");
            }
        }
        loop {
            if let Some(inspection) = port.inspect() {
                self.attack(port, inspection);
            } else if let Some(event) = port.receive() {
                if matches!(event, Event::Returned(_)) {
                    runtime::println!("1 buffer refused");
                }
                if let Some(ticket) = self.posted_again.take() {
                    port.answer(ticket, true, 0).expect("the ring has room");
                }
            } else {
                return;
            }
        }
    }
}
