//! Which client waits for which. Sends that cannot go on wait here, in order within each flow, and this file
//! lets them go on.
//!
//! Only this file can change who waits for whom, so both sides of [`Waits`](waits::Waits) stay in step.

pub(super) mod waits;

use ferry_layout::{DomainId, Status};

use super::Engine;
use super::client::Ports;
use crate::table::ClientSet;

impl Engine {
    /// Lets message `index` wait at the end of its flow. `ready` means that it may be able to go on before
    /// the target acts.
    pub(super) fn wait(&mut self, source: DomainId, ports: Ports, index: u32, ready: bool) {
        let client = &mut self.clients[source];
        let target = client.sends.get(index).header.target;
        client.sends.enqueue(&mut self.flows.get_mut(source, target).waiting, index);
        for part in client.sends.parts(index) {
            ports.to_client.status(part).set(part, Status::Queued);
        }
        client.sends.occupy(index);
        self.wait_for_turn(source, target, ready);
        self.wait_for_target(source, target);
        self.reconsider.insert(target);
    }

    /// Notes that sends of `source` wait in this flow. `ready` means that they may be able to go on.
    pub(super) fn wait_for_turn(&mut self, source: DomainId, target: DomainId, ready: bool) {
        let waits = &mut self.clients[source].waits;
        waits.insert_target(target);
        if ready {
            waits.unblock_one(target);
        }
    }

    /// Notes that a send of `source` needs something of `target` itself. Returns whether none did before.
    pub(super) fn wait_for_target(&mut self, source: DomainId, target: DomainId) -> bool {
        let is_first = self.clients[target].waits.insert_source(source);
        if is_first {
            self.begin_to_share(source, target);
        }
        is_first
    }

    /// Notes that no send of `source` needs anything of `target` now. Others of the flow may wait their turn.
    pub(super) fn stop_waiting_for_target(&mut self, source: DomainId, target: DomainId) {
        self.clients[target].waits.remove_source(source);
    }

    /// Lets `source` wait until `guard` can take something.
    pub(super) fn wait_for_guard(&mut self, source: DomainId, guard: DomainId) {
        self.clients[source].waits.insert_target(guard);
        self.clients[source].waits.block(guard);
        self.clients[guard].waits.insert_source(source);
        self.reconsider.insert(guard);
    }

    /// Notes that no send waits for `target` any more. Returns the sources of those that did.
    /// [`forget_wait`](Self::forget_wait) must be called for each of them.
    pub(super) fn forget_waiters(&mut self, target: DomainId) -> ClientSet {
        self.clients[target].waits.take_sources()
    }

    /// Notes that no send of `source` waits any more, in any flow.
    pub(super) fn forget_all_waits(&mut self, source: DomainId) {
        for target in self.clients[source].waits.targets().iter() {
            self.clients[target].waits.remove_source(source);
        }
        self.clients[source].waits.clear_targets();
    }

    /// Notes that no send waits in this flow any more.
    pub(super) fn forget_wait(&mut self, source: DomainId, target: DomainId) {
        self.clients[source].waits.remove_target(target);
        self.clients[target].waits.remove_source(source);
    }

    /// Rouses all clients whose sends wait for `target`: it may be able to take one now.
    pub(super) fn rouse_waiters(&mut self, target: DomainId) {
        let sources = self.clients[target].waits.sources();
        self.rouse(sources, target);
    }

    /// Rouses `sources`, whose sends wait for `target`: it may be able to take one now. They get a turn even
    /// without a signal.
    pub(super) fn rouse(&mut self, sources: ClientSet, target: DomainId) {
        for source in sources.iter() {
            self.clients[source].waits.unblock_one(target);
        }
        self.roused = self.roused.union(sources);
    }

    /// Gives `source` a turn even without a signal: it has sends that may go on, or that may be looked at.
    pub(super) const fn rouse_source(&mut self, source: DomainId) {
        self.roused.insert(source);
    }

    /// Gives back the buffer that message `index` had claimed, because the message will not arrive. Returns
    /// whether it had claimed one.
    pub(super) fn abandon(&mut self, source: DomainId, index: u32) -> bool {
        let send = self.clients[source].sends.get_mut(index);
        let (target, claimed) = (send.header.target, send.claimed.take());
        if let Some(request) = claimed {
            self.clients[target].requests.give_back(request);
            // The client may have withdrawn it meanwhile. A look answers that.
            self.look_again.insert(target);
        }
        claimed.is_some()
    }
}
