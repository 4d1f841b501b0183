//! The supervisor: the parent of all protection domains (PDs) that have no other parent. It reports their
//! faults, starts them again where the description allows it, prints for them and ends the machine.
//!
//! The image builder puts it into every image, for two reasons. The release and benchmark kernels say nothing
//! at all about a PD that faults. And only the supervisor has the console, so PDs need no devices.
//!
//! It trusts no PD. A PD can print what it likes, under its own or another's name, and it can end the
//! machine. It cannot make the supervisor fault, and it can stop no single PD but itself.
//!
//! Microkit hands over a PD's number with each fault and each call. The image builder gives out the numbers,
//! together with the names.

#![no_std]
#![no_main]

mod console;
mod device;
mod domains;
mod fault;
#[cfg(feature = "requests")]
mod lines;
mod lives;
#[cfg(feature = "requests")]
mod requests;

use core::convert::Infallible;
use core::fmt::Write;

use ferry_platform::{Outcome, Report};
use sel4_microkit::{Channel, ChannelSet, Child, Handler, MessageInfo};

use crate::console::Console;
use crate::domains::Name;
use crate::lives::Lives;
#[cfg(feature = "requests")]
use crate::requests::Requests;

sel4_microkit::declare_protection_domain!(init = init);

struct Supervisor {
    #[cfg(feature = "requests")]
    requests: Requests,
    lives: Lives,
}

fn init() -> Supervisor {
    device::prepare();
    Supervisor {
        #[cfg(feature = "requests")]
        requests: Requests::new(),
        lives: Lives::new(),
    }
}

impl Handler for Supervisor {
    type Error = Infallible;

    /// The image builder lets nobody signal the supervisor. If a signal comes all the same, it is ignored:
    /// that is no reason to panic.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }

    /// Without the feature `requests` the image builder lets nobody call the supervisor. If a call comes all
    /// the same, it is answered and ignored.
    #[cfg_attr(not(feature = "requests"), expect(unused_variables, reason = "nothing is asked for"))]
    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        #[cfg(feature = "requests")]
        if self.requests.serve(channel.index(), &message) == requests::Wish::Stop {
            self.stop(channel.index());
        }
        Ok(MessageInfo::default())
    }

    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let number = child.index();
        let fault = fault::received(&message);
        #[cfg(feature = "requests")]
        self.requests.end_line(number);
        report(Report::Fault { domain: Name::of(number).as_str(), fault });
        self.end_life(number);
        Ok(None)
    }
}

impl Supervisor {
    /// A PD that has another parent cannot be stopped from here. It faults next, and its parent gets the
    /// fault.
    #[cfg(feature = "requests")]
    fn stop(&mut self, number: usize) {
        if domains::is_child(number) {
            report(Report::Fault { domain: Name::of(number).as_str(), fault: ferry_platform::Fault::PANIC });
            self.end_life(number);
        }
    }

    /// Suspends a child, and starts it again if it may be. Otherwise the child stays stopped for good. The
    /// kernel forgets the answer that the child waits for.
    fn end_life(&mut self, number: usize) {
        let name = Name::of(number);
        let name = name.as_str();
        let suspended = Child::new(number).tcb().tcb_suspend();
        match suspended.and_then(|()| self.lives.try_again(number)) {
            Ok(Outcome::Again(count)) => report(Report::Restart { domain: name, number: count }),
            Ok(Outcome::GivenUp) => report(Report::GivenUp { domain: name }),
            Ok(Outcome::Stays) => {}
            Err(error) => {
                let _ = writeln!(Console, "ferry: supervisor: {name} cannot be stopped and started: {error}");
            }
        }
    }
}

/// Prints a report. Printing to the console cannot fail.
fn report(report: Report<'_>) {
    let _ = writeln!(Console, "{report}");
}
