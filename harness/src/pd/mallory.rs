//! Mallory: a client that strikes whenever it is woken. The host gives it a higher priority than central,
//! which `ferry check` forbids to clients. So on one processor it runs in the middle of central's work: at
//! the ticks, at whatever instruction central has reached, and around each map, copy, unmap and signal, where
//! the witness wakes it.

#![no_std]
#![no_main]

mod stage;

use ferry_harness::{Actor, Strike};
use ferry_layout::Status;
use runtime::{ChannelSet, Handler};
use static_cell::StaticCell;

runtime::protection_domain!(init);

static PLATFORM: StaticCell<stage::Platform> = StaticCell::new();

struct Mallory {
    actor: Actor<'static>,
    strike: Option<Strike>,
    /// Number of strikes so far.
    strikes: u32,
    state: State,
}

/// What mallory does when it is woken next.
#[derive(Clone, Copy)]
enum State {
    /// Asks central to let it in.
    Outside,
    /// Strikes.
    Striking,
    /// Tells the umpire that it has passed, in a new epoch, and does nothing else. Holds the send.
    Telling(Option<u32>),
    /// Nothing: the umpire has been told.
    Still,
}

fn init() -> impl Handler {
    let actor = PLATFORM.init(stage::Platform::of_this_domain()).actor();
    Mallory { actor, strike: stage::scenario().mallory, strikes: 0, state: State::Outside }
}

impl Handler for Mallory {
    fn notified(&mut self, _: ChannelSet) {
        let Some(strike) = self.strike else { return };
        // Mallory never waits: that would keep every PD of a lower priority from running.
        if !self.actor.to_client.is_introduced() {
            return;
        }
        self.state = match self.state {
            State::Outside => {
                self.actor.stamp();
                self.actor.enter();
                State::Striking
            }
            State::Striking if self.strikes == 0 && !self.actor.is_in() => State::Striking,
            State::Striking => self.strike(strike),
            State::Telling(told) => self.tell(told),
            State::Still => State::Still,
        }
    }
}

impl Mallory {
    fn strike(&mut self, strike: Strike) -> State {
        match strike(&mut self.actor, self.strikes) {
            Ok(false) => {
                self.strikes += 1;
                State::Striking
            }
            Ok(true) => {
                runtime::println!("harness: pass");
                self.actor.enter();
                State::Telling(None)
            }
            Err(clue) => {
                let (what, line) = (clue.what, clue.line);
                runtime::println!("harness: fail {}: expected: {what} (line {line})", stage::scenario().name);
                runtime::exit(1)
            }
        }
    }

    /// As `Actor::report_pass`, but without waiting.
    fn tell(&mut self, told: Option<u32>) -> State {
        if !self.actor.is_in() {
            return State::Telling(None);
        }
        match told.map(|send| self.actor.status(send)) {
            Some(Some(Status::Done)) => State::Still,
            Some(Some(status)) if status.is_final() => State::Telling(None),
            Some(_) => State::Telling(told),
            None => State::Telling(Some(self.actor.send_pass())),
        }
    }
}
