//! What the initialiser does once the system runs. It reports the faults and panics of PDs, starts PDs again
//! where the system allows it, prints for them, and ends the machine when a PD asks for it. It never answers,
//! so a PD that faulted stays stopped unless it is started again.
//!
//! The kernel sends faults, and PDs send their requests, to the same endpoint with different badges. A PD can
//! also send a message of its own to the fault endpoint. That reports a fault in its own name and stops it,
//! so the PD gains nothing by it.

use crate::badge;
use crate::console::{println, put};
use crate::domain::Made;
use crate::failure::Failure;
use crate::faults::fault_of;
use crate::power;
use crate::restart::Restarter;
use ferry_classic_abi::{Kernel, Message, syscall};
use ferry_classic_spec::{System, slots};
use ferry_platform::{Console, Fault, Outcome, Report};

/// Serves until the machine ends.
pub(crate) fn serve(
    system: &System,
    domains: &[Made],
    mut restarter: Restarter,
    endpoint: u64,
    kernel: &mut Kernel,
) -> ! {
    let mut console = Console::new();
    loop {
        let message = syscall::receive(endpoint);
        let number = badge::number(message.badge);
        let name = system.domains.get(number).map_or("?", |domain| domain.name.as_str());
        let is_request = badge::is_request(message.badge);
        if is_request && message.info.label() == slots::PRINT_LABEL {
            print(&message, kernel, |text| console.print(number, name, text, &mut put));
            continue;
        }
        console.end_line(&mut put);
        let fault = if !is_request {
            fault_of(&message, kernel)
        } else if message.info.label() == slots::STOP_LABEL {
            Fault::PANIC
        } else {
            request(name, &message);
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

fn request(name: &str, message: &Message) {
    match message.info.label() {
        slots::EXIT_LABEL => {
            let code = u8::try_from(message.words[0]).unwrap_or(u8::MAX);
            println!("{}", Report::Exit { domain: name, code });
            power::off(code);
        }
        label => println!("ferry: initialiser: {name}: unknown request {label}, ignored"),
    }
}

/// Prints what a PD wrote, word by word. The PD may claim any length; no more is printed than the message
/// holds.
fn print(message: &Message, kernel: &Kernel, mut show: impl FnMut(&[u8])) {
    let held = (message.info.length() as usize).saturating_sub(1) * size_of::<u64>();
    let length = (message.words[0] as usize).min(held).min(slots::PRINT_BYTES);
    for (index, start) in (1..).zip((0..length).step_by(size_of::<u64>())) {
        let bytes = kernel.word_of(message, index).to_le_bytes();
        show(&bytes[..bytes.len().min(length - start)]);
    }
}
