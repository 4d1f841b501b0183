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
mod restart;

use core::convert::Infallible;
use core::fmt::Write;

use ferry_platform::{Fault, Outcome, Report};
use runtime::supervisor::{END_LINE, EXIT, PRINT, STOP, WORD};
use sel4_microkit::{Channel, ChannelSet, Child, Handler, MessageInfo, get_mr, with_msg_bytes};
use static_cell::ConstStaticCell;

use crate::console::{Console, Lines};
use crate::domains::Name;
use crate::restart::Restarter;

sel4_microkit::declare_protection_domain!(init = init);

/// Bytes of text that one request can have; a message has no more.
const TEXT: usize = 119 * WORD;

static LINES: ConstStaticCell<Lines> = ConstStaticCell::new(Lines::new());

struct Supervisor {
    lines: &'static mut Lines,
    restarter: Restarter,
}

fn init() -> Supervisor {
    device::prepare();
    Supervisor { lines: LINES.take(), restarter: Restarter::new() }
}

impl Handler for Supervisor {
    type Error = Infallible;

    /// The image builder lets nobody signal the supervisor. If a signal comes all the same, it is ignored:
    /// that is no reason to panic.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }

    fn protected(&mut self, channel: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let number = channel.index();
        match message.label() {
            PRINT => self.print(number, message.count()),
            END_LINE => self.lines.flush(number),
            EXIT if message.count() > 0 => self.exit(number, get_mr(0)),
            STOP => self.stop(number),
            label => {
                let name = Name::of(number);
                let name = name.as_str();
                let _ = writeln!(Console, "ferry: supervisor: {name}: unknown request {label}, ignored");
            }
        }
        Ok(MessageInfo::default())
    }

    fn fault(&mut self, child: Child, message: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let number = child.index();
        let fault = fault::received(&message);
        self.lines.flush(number);
        report(Report::Fault { domain: Name::of(number).as_str(), fault });
        self.stop_or_restart(number);
        Ok(None)
    }
}

impl Supervisor {
    fn print(&mut self, number: usize, words: usize) {
        // Copied out first: on x86-64 printing needs the IPC buffer itself.
        let mut text = [0; TEXT];
        let length = with_msg_bytes(|message| {
            let (length, rest) = message.split_first_chunk()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let length = length.min(words.saturating_sub(1) * WORD).min(rest.len()).min(TEXT);
            text[..length].copy_from_slice(&rest[..length]);
            Some(length)
        });
        self.lines.add(number, &text[..length.unwrap_or(0)]);
    }

    fn exit(&mut self, number: usize, code: u64) {
        let code = u8::try_from(code).unwrap_or(u8::MAX);
        self.lines.flush_all();
        report(Report::Exit { domain: Name::of(number).as_str(), code });
        device::exit(code);
    }

    /// A PD that has another parent cannot be stopped from here. It faults next, and its parent gets the
    /// fault.
    fn stop(&mut self, number: usize) {
        self.lines.flush(number);
        if domains::is_child(number) {
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

/// Prints a report. Printing to the console cannot fail.
fn report(report: Report<'_>) {
    let _ = writeln!(Console, "{report}");
}
