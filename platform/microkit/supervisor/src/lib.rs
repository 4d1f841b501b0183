//! The supervisor: the parent of all protection domains (PDs) that have no other parent. It reports their
//! faults, and starts them again where the description allows it.
//!
//! The image builder puts it into every image, for two reasons. The release and benchmark kernels say nothing
//! at all about a PD that faults. And only the supervisor has the console, so PDs need no devices. It trusts
//! no PD, and no PD can make it fault.
//!
//! What PDs may ask of it is a parameter. In a product they can ask for nothing ([`NoRequests`]). In a
//! demonstration and in tests it prints for them and ends the machine (package `ferry-demo-supervisor`).
//!
//! Microkit hands over a PD's number with each fault and each call. The image builder gives out the numbers,
//! together with the names.

#![no_std]

pub mod console;
pub mod domains;
mod fault;
mod restart;

use core::convert::Infallible;
use core::fmt::Write;

use ferry_platform::{Fault, Outcome, Report};
use sel4_microkit::{Channel, ChannelSet, Child, Handler, MessageInfo};

use crate::console::Console;
use crate::domains::Name;
use crate::restart::Restarter;

/// What protection domains can ask of the supervisor.
pub trait Requests {
    /// Serves a request of domain `number`.
    fn serve(&mut self, number: usize, message: &MessageInfo) -> Wish;

    /// Ends the line that a domain has begun, because the supervisor prints next.
    fn end_line(&mut self);
}

/// What is left to do after a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// The domain has panicked and must be stopped.
    Stop,
}

/// Nobody can ask for anything: the image builder gives nobody a capability to call the supervisor. If a call
/// comes all the same, it is answered and ignored.
#[derive(Clone, Copy, Debug)]
pub struct NoRequests;

impl Requests for NoRequests {
    fn serve(&mut self, _: usize, _: &MessageInfo) -> Wish {
        Wish::Nothing
    }

    fn end_line(&mut self) {}
}

/// The handler of the supervisor's protection domain.
pub struct Supervisor<R> {
    requests: R,
    restarter: Restarter,
}

impl<R: Requests> Supervisor<R> {
    /// Must be called once.
    pub fn new(requests: R) -> Self {
        console::prepare();
        Self { requests, restarter: Restarter::new() }
    }

    /// Reports the panic of a child, and stops it. A PD that has another parent cannot be stopped from here.
    /// It faults next, and its parent gets the fault.
    fn stop(&mut self, number: usize) {
        if domains::is_child(number) {
            self.requests.end_line();
            report(Report::Fault { domain: Name::of(number).as_str(), fault: Fault::PANIC });
            self.stop_or_restart(number);
        }
    }

    /// Suspends a child, and starts it again if it may be. Otherwise the child stays stopped for good. The
    /// kernel forgets the answer that the child waits for.
    fn stop_or_restart(&mut self, number: usize) {
        let name = Name::of(number);
        let name = name.as_str();
        let suspended = Child::new(number).tcb().tcb_suspend();
        match suspended.and_then(|()| self.restarter.try_again(number)) {
            Ok(Outcome::Again(count)) => report(Report::Restart { domain: name, number: count }),
            Ok(Outcome::GivenUp) => report(Report::GivenUp { domain: name }),
            Ok(Outcome::Stays) => {}
            Err(error) => {
                let _ =
                    writeln!(Console, "ferry: supervisor: {name} could not be stopped or restarted: {error}");
            }
        }
    }
}

impl<R: Requests> Handler for Supervisor<R> {
    type Error = Infallible;

    /// The image builder lets nobody signal the supervisor. If a signal comes all the same, it is ignored:
    /// that is no reason to panic.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }

    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let number = channel.index();
        if self.requests.serve(number, &message) == Wish::Stop {
            self.stop(number);
        }
        Ok(MessageInfo::default())
    }

    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let number = child.index();
        let fault = fault::received(&message);
        self.requests.end_line();
        report(Report::Fault { domain: Name::of(number).as_str(), fault });
        self.stop_or_restart(number);
        Ok(None)
    }
}

/// Prints a report. Printing to the console cannot fail.
pub fn report(report: Report<'_>) {
    let _ = writeln!(Console, "{report}");
}
