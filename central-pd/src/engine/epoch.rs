//! How a client begins an epoch, and how it is quarantined.
//!
//! A client resets its own page and then asks for an epoch: it publishes a number other than that of the
//! current epoch. It does the same at its first start, at its restart, and to come back from quarantine. This
//! file is also the one place that applies the consequence of a breach of the protocol.

use ferry_layout::{Consumer, DomainId, Producer, Standing, Status};

use super::Engine;
use super::client::Ports;
use crate::machine::Machine;

impl Engine {
    /// Reads what `client` has published: first the wish for an epoch, and then what `look.rs` reads. Must be
    /// called between turns.
    #[inline]
    pub(super) fn meet(&mut self, machine: &mut impl Machine, client: DomainId, ports: Ports) {
        match ports.from_client.wanted_epoch() {
            Some(epoch) if epoch != self.clients[client].epoch => {
                self.begin_epoch(machine, client, ports, epoch);
            }
            Some(_) => {}
            // Not started, or just restarting.
            None => return,
        }
        let state = &self.clients[client];
        if state.standing != Standing::Open {
            return;
        }
        if let Some(end) = state.retake {
            self.retake(client, ports, end);
        }
        self.look(client, ports);
    }

    /// Begins the epoch that `client` asks for. What the client left behind is dropped. Its own waiting sends
    /// go without a status, because the program that would read it is gone. Its peers' sends that wait for
    /// it end with `PeerReset`, except at its first start. Its frames are unmapped.
    #[cold]
    #[inline(never)]
    fn begin_epoch(&mut self, machine: &mut impl Machine, client: DomainId, ports: Ports, epoch: u32) {
        self.audit_start(client, epoch);
        let first = self.clients[client].standing == Standing::Closed;
        self.detach(machine, client, (!first).then_some(Status::PeerReset));
        let state = &mut self.clients[client];
        state.standing = Standing::Open;
        state.epoch = epoch;
        state.transmit = Consumer::new(0);
        state.sends.clear();
        state.in_refused_chain = false;
        state.retake = None;
        state.requests.clear();
        state.inspections.clear();
        (state.requests_taken_at, state.requests_used_at) = (None, None);
        state.deliveries = Producer::new(0);
        state.budget.reset();
        ports.to_client.clear_statuses();
        ports.to_client.journal.forget_requests();
        ports.to_client.transmit_head.publish(0);
        ports.to_client.post_head.publish(0);
        ports.to_client.ended_late.publish(0);
        // In this order. If central is stopped between the two stores, the entries between the two indices
        // are deliveries of the epoch that ends, and not older ones.
        ports.to_client.settled.publish(0);
        ports.to_client.delivery_tail.publish(0);
        ports.to_client.set_standing(Standing::Open);
        // Last: a client that sees the epoch sees everything above.
        ports.to_client.epoch.publish(epoch);
        self.to_signal.insert(client);
        // Sends may have waited for this client since before it was open. The wake hint for requests was not
        // armed then.
        self.reconsider.insert(client);
        self.rouse_waiters(client);
    }

    /// Quarantines every client that was found to have broken the protocol, if it is served now. Its queues
    /// are no longer read, its frames are unmapped, and its peers' sends that wait for it end with
    /// `Quarantined`. All others go on.
    #[inline]
    pub(super) fn expel_offenders(&mut self, machine: &mut impl Machine) {
        if !self.offenders.is_empty() {
            let offenders = self.offenders.intersection(self.served);
            self.offenders = self.offenders.without(offenders);
            for client in offenders.iter() {
                self.quarantine(machine, client);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn quarantine(&mut self, machine: &mut impl Machine, client: DomainId) {
        self.audit_quarantine(client);
        self.clients[client].standing = Standing::Quarantined;
        if let Some(ports) = self.clients[client].ports {
            ports.to_client.set_standing(Standing::Quarantined);
        }
        self.to_signal.insert(client);
        self.detach(machine, client, Some(Status::Quarantined));
    }

    /// Takes `client` out of all queues, its own and its peers', and unmaps its frames. Sends that wait for
    /// it end with `status`, or stay if that is `None`. Must be called between turns.
    fn detach(&mut self, machine: &mut impl Machine, client: DomainId, status: Option<Status>) {
        if self.clients[client].is_guard {
            self.lose_guard(client);
        }
        self.drop_waiting(client);
        if let Some(status) = status {
            self.end_all_waiting(client, status);
        }
        self.clients[client].unmap_all(client, machine);
    }
}
