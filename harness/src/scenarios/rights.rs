//! Rights that no PD should have. Each is tried, and must fault or not be there.
//!
//! Linux has no capabilities, so the scenarios that need them run on seL4 only. (For hosted,
//! `platform/hosted/launcher/tests/isolation` lists the files of a process, which are all that it can use,
//! and tries false reports.) Every platform plays the others.

use ferry_layout::Status;

use crate::actor::{Actor, Clue};
use crate::check::ensure;
use crate::memory::{sink_below, write_in_place};
use crate::rights::Overreach;
use crate::role::Role;
use crate::scenario::{Ending, Fault, Feature, Scenario, Trace, WitnessAct};

/// The kernel stops alpha, and beta and gamma go on.
const CONTAINED: Scenario = Scenario {
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 64, Some(Role::Gamma));
        beta.receive()?;
        Ok(())
    }),
    gamma: Some(|gamma: &mut Actor<'_>| {
        gamma.rest();
        let send = gamma.send(Actor::message(Role::Beta, 0, 64));
        ensure!(gamma.end_of(send)? == Status::Done, "the others go on");
        Ok(())
    }),
    fault: Some(Fault { domain: "alpha", kind: "write" }),
    ending: Ending::By(Role::Gamma),
    ..Scenario::IDLE
};

pub(super) const T90: Scenario = Scenario {
    name: "t90_central_cannot_write_through_the_capability_of_a_transmit_frame",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.tx.lay_canaries();
        alpha.send(Actor::message(Role::Beta, 0, 100));
        // Central is stopped by this. Alpha ends the scenario, because it runs after central.
        alpha.rest();
        ensure!(alpha.tx.canaries_stand_around(&(0..0)), "a transmit buffer is unchanged");
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| {
        beta.post(0, 4096, None);
        Ok(())
    }),
    witness: WitnessAct::WriteByCapability,
    // The mapping succeeds, but with no more rights than the capability has.
    trace: Trace::Begins(&["map alpha tx 0 to write"]),
    fault: Some(Fault { domain: "central", kind: "write" }),
    ending: Ending::By(Role::Alpha),
    ..Scenario::IDLE
};

/// Walks over the client's whole `CSpace`. Bit `n` of `channels` is set if the description gives the client
/// channel `n`.
fn holds_only(client: &Actor<'_>, channels: u64) -> Result<(), Clue> {
    let holdings = client.stage().holdings();
    client.print(format_args!("harness: holds {holdings:x?}"));
    ensure!(holdings.slots >= 256, "the walk went over all slots");
    ensure!(holdings.stranger.is_none(), "there is nothing that the description does not give");
    ensure!(holdings.channels == channels, "it signals through its channels and no others");
    ensure!(holdings.frames == 0, "it holds no frame, so it can map nothing");
    ensure!(
        holdings.address_spaces == client.stage().address_spaces(),
        "its address space is its own where the platform says so, and nowhere else"
    );
    Ok(())
}

/// What alpha tries, one after each start.
const OVERREACHES: [Overreach; 4] = [
    Overreach::WaitByChannel(0),
    Overreach::WaitForRequests,
    Overreach::WaitForFaults,
    Overreach::InvokeBeyond,
];

pub(super) const T91: Scenario = Scenario {
    name: "t91_a_client_holds_its_channels_and_nothing_else",
    alpha: Some(|alpha: &mut Actor<'_>| {
        holds_only(alpha, 0b1)?;
        // Epochs count alpha's starts, from 1.
        let epoch = alpha.to_client.epoch.observe() as usize;
        if let Some(overreach) = OVERREACHES.get(epoch - 1) {
            alpha.stage().overreach(*overreach);
            ensure!(false, "the kernel refuses every use that the description does not give");
        }
        Ok(())
    }),
    beta: Some(|beta: &mut Actor<'_>| holds_only(beta, 0b1)),
    gamma: Some(|gamma: &mut Actor<'_>| holds_only(gamma, 0b1)),
    mallory: Some(|mallory: &mut Actor<'_>, _| {
        holds_only(mallory, 0b11)?;
        Ok(true)
    }),
    fault: Some(Fault { domain: "alpha", kind: "capability" }),
    faults: 4,
    restarts: &[("central", 0), ("alpha", 4)],
    needs: &[Feature::Capabilities, Feature::Restarts],
    ..Scenario::IDLE
};

pub(super) const T92: Scenario = Scenario {
    name: "t92_central_holds_its_frames_and_channels_and_nothing_else",
    witness: WitnessAct::Overreach,
    trace: Trace::Begins(&["central holds its channels, its window and the frames of its clients"]),
    fault: Some(Fault { domain: "central", kind: "capability" }),
    needs: &[Feature::Capabilities],
    ending: Ending::ByFault,
    ..Scenario::IDLE
};

pub(super) const T93: Scenario = Scenario {
    name: "t93_a_client_cannot_write_to_its_own_code",
    alpha: Some(|_: &mut Actor<'_>| {
        write_in_place((sink_below as fn(usize)) as *const u8);
        ensure!(false, "the write has faulted");
        Ok(())
    }),
    ..CONTAINED
};

/// A constant of the program.
static CONSTANT: [u8; 64] = *b"A protection domain's constants are constant, or they are none.\n";

pub(super) const T94: Scenario = Scenario {
    name: "t94_a_client_cannot_write_to_its_own_constants",
    alpha: Some(|_: &mut Actor<'_>| {
        write_in_place(CONSTANT.as_ptr());
        ensure!(false, "the write has faulted");
        Ok(())
    }),
    ..CONTAINED
};

/// Bytes of alpha's stack, as in `system.xml`.
const STACK_BYTES: usize = 0x1_0000;

pub(super) const T95: Scenario = Scenario {
    name: "t95_a_stack_that_overflows_faults_on_the_page_below_it",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // If the platform does not say how large a stack is, the bottom is 0, and nothing lies below that.
        sink_below(alpha.stage().stack_top().map_or(0, |top| top - STACK_BYTES));
        ensure!(false, "nothing is mapped below the stack");
        Ok(())
    }),
    ..CONTAINED
};

pub(super) const T96: Scenario = Scenario {
    name: "t96_a_client_that_says_that_it_has_panicked_is_stopped",
    alpha: Some(|alpha: &mut Actor<'_>| {
        alpha.stage().overreach(Overreach::Pretend);
        // Whoever prints this has stopped alpha before that, on whatever core alpha goes on.
        ensure!(false, "nothing runs on that has said that it has panicked");
        Ok(())
    }),
    // The report is on a line of its own, although alpha has not ended its line.
    console: &["unended "],
    fault: Some(Fault { domain: "alpha", kind: "panic" }),
    needs: &[Feature::Capabilities],
    ..CONTAINED
};
