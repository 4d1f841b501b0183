//! What only the kernel can prevent: a client that writes where it has no right to.

use ferry_layout::Status;

use crate::actor::Actor;
use crate::check::ensure;
use crate::role::Role;
use crate::scenario::{Ending, Fault, Scenario};

pub(in super::super) const T70: Scenario = Scenario {
    name: "t70_a_client_cannot_forge_a_status",
    alpha: Some(|alpha: &mut Actor<'_>| {
        // This is central's page, which alpha maps read-only. The kernel stops alpha and no other PD.
        alpha.to_client.status(0).set(0, Status::Done);
        ensure!(false, "the write has faulted");
        Ok(())
    }),
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
