//! What the initialiser does once the system runs. It reports the faults and panics of PDs, starts PDs again
//! where the system allows it, prints for them, and ends the machine when a PD asks for it. It never answers,
//! so a PD that faulted stays stopped unless it is started again.
//!
//! The kernel sends faults, and PDs send their requests, to the same endpoint with different badges. A PD can
//! also send a message of its own to the fault endpoint. That reports a fault in its own name and stops it,
//! so the PD gains nothing by it.

use crate::badge;
use crate::console::println;
use crate::domain::Made;
use crate::failure::Failure;
use crate::faults::fault_of;
use crate::power;
use crate::restart::Restarter;
use ferry_classic_abi::{Kernel, Message, syscall};
use ferry_classic_spec::{System, slots};
use ferry_platform::{Fault, Outcome, Report};

/// Serves until the machine ends.
pub(crate) fn serve(
    system: &System,
    domains: &[Made],
    mut restarter: Restarter,
    endpoint: u64,
    kernel: &mut Kernel,
) -> ! {
    loop {
        let message = syscall::receive(endpoint);
        let number = badge::number(message.badge);
        let name = system.domains.get(number).map_or("?", |domain| domain.name.as_str());
        let fault = if !badge::is_request(message.badge) {
            fault_of(&message, kernel)
        } else if message.info.label() == slots::STOP_LABEL {
            Fault::PANIC
        } else {
            request(name, &message, kernel);
            continue;
        };
        println!("{}", Report::Fault { domain: name, fault });
        // It has stopped already, and waits for an answer. Suspending it makes sure that no answer can come.
        let suspended = domains.get(number).map_or(Ok(()), |made| kernel.suspend(made.thread));
        match suspended.and_then(|()| restarter.try_again(number, kernel)) {
            Ok(Outcome::Again(count)) => println!("{}", Report::Restart { domain: name, number: count }),
            Ok(Outcome::GivenUp) => println!("{}", Report::GivenUp { domain: name }),
            Ok(Outcome::Stays) => {}
            Err(refusal) => println!("ferry: initialiser: {}", Failure::refused("restart", name, refusal)),
        }
    }
}

fn request(name: &str, message: &Message, kernel: &Kernel) {
    match message.info.label() {
        slots::PRINT_LABEL => print(message, kernel),
        slots::EXIT_LABEL => {
            let code = u8::try_from(message.words[0]).unwrap_or(u8::MAX);
            println!("{}", Report::Exit { domain: name, code });
            power::off(code);
        }
        label => println!("ferry: initialiser: {name}: unknown request {label}, ignored"),
    }
}

/// Prints what a PD wrote, byte by byte; the length it claims is bounded here.
fn print(message: &Message, kernel: &Kernel) {
    let length = message.words[0].min(slots::PRINT_BYTES as u64) as usize;
    let bytes = (1..).flat_map(|index| kernel.word_of(message, index).to_le_bytes());
    bytes.take(length).for_each(syscall::debug_put_char);
}
