//! The initialiser of the classic platform: the first and only program that the kernel starts.
//!
//! It decodes the compiled system that was packed behind it, checks it, and makes every object of it. It
//! gives every protection domain (PD) exactly the capabilities and mappings that the system says. Then it
//! starts all of them at once and gives up the privileges that it no longer needs. From then on it reports
//! faults, starts PDs again where the system allows it, and ends the machine on request.
//!
//! What holds afterwards:
//! * A PD's CSpace holds what `ferry_classic_spec::slots` lists and nothing else: no untyped memory, no TCB,
//!   no CNode, no page table. Only a PD with a window holds its own VSpace.
//! * A frame is mapped where the system says, with the rights that it says, through a capability that has no
//!   other rights. Stacks lie between pages that are never mapped.
//! * Code cannot be written. Data should not be executed either: no page is meant to be both writable and
//!   executable. But this kernel never sets the no-execute bit, so nothing stops a PD from executing its
//!   data, and no test may rely on that.
//! * A PD that faults is started again as often as the system says (`restart`), and then stays stopped for
//!   good. All others go on.
//!
//! Whatever goes wrong before the PDs start ends the machine, with a failure code and one line that says what
//! and where.
#![no_std]
#![no_main]
#![allow(clippy::cast_possible_truncation, reason = "x86-64 alone: a usize has 64 bits")]

extern crate alloc;

mod address_space;
mod badge;
mod console;
mod domain;
mod failure;
mod faults;
mod heap;
mod image;
mod objects;
mod power;
mod region;
mod restart;
mod service;
mod start;
mod tick;

use crate::address_space::AddressSpace;
use crate::domain::Made;
use crate::failure::Failure;
use crate::image::Image;
use crate::objects::Objects;
use crate::region::Payload;
use crate::restart::Restarter;
use alloc::vec::Vec;
use ferry_classic_abi::number::constant;
use ferry_classic_abi::{BootInformation, Kernel};
use ferry_classic_spec::System;

/// Builds the system and serves it. Returns only if building or starting fails.
fn run(boot: &BootInformation, kernel: Kernel) -> Failure {
    let image = Image::of_this_program(boot);
    let mut objects = Objects::new(kernel, boot);
    let served = build(&image, &mut objects).and_then(|built| {
        start(&built, &mut objects)?;
        Ok(built)
    });
    match served {
        Ok(MadeSystem { system, payload, domains, endpoint, spare }) => {
            let restarter = Restarter::new(&system, payload, &domains, spare);
            service::serve(&system, &domains, restarter, endpoint, objects.kernel())
        }
        Err(failure) => failure,
    }
}

/// A system that is made and not started.
struct MadeSystem<'a> {
    system: System,
    payload: Payload<'a>,
    domains: Vec<Made>,
    /// The endpoint for faults and requests of PDs.
    endpoint: u64,
    /// An empty slot of the initialiser's CNode.
    spare: u64,
}

/// Makes everything and starts nothing.
fn build<'a>(image: &'a Image, objects: &mut Objects) -> Result<MadeSystem<'a>, Failure> {
    let (system, payload) = ferry_classic_spec::decode(image.system()).map_err(Failure::Decode)?;
    ferry_classic_spec::check(&system, payload).map_err(Failure::Contradiction)?;
    let payload = Payload::new(payload, image);

    let mut scratch = AddressSpace::own();
    let frames = region::make_all(&system.regions, &payload, &mut scratch, objects)?;
    let endpoint = objects.make(constant::seL4_EndpointObject, 0)?;
    let notifications: Vec<u64> = system
        .domains
        .iter()
        .map(|_| objects.make(constant::seL4_NotificationObject, 0))
        .collect::<Result<_, _>>()?;
    let shared = domain::Shared {
        system: &system,
        payload: &payload,
        frames: &frames,
        endpoint,
        notifications: &notifications,
    };
    let domains: Vec<Made> = (0..system.domains.len())
        .map(|number| domain::make(&shared, number, &mut scratch, objects))
        .collect::<Result<_, _>>()?;
    region::provide_scratch(&mut scratch, objects)?;
    let spare = objects.spare_slot()?;
    Ok(MadeSystem { system, payload, domains, endpoint, spare })
}

/// Starts everything. The initialiser has the highest priority, so no PD runs before the initialiser waits
/// for faults.
fn start(built: &MadeSystem<'_>, objects: &mut Objects) -> Result<(), Failure> {
    for (domain, made) in built.system.domains.iter().zip(&built.domains) {
        let started = objects.kernel().resume(made.thread);
        started.map_err(|refusal| Failure::refused("start", &domain.name, refusal))?;
    }
    objects.give_up_privileges()
}
