//! How a client comes in, comes back, and is shut out.
//!
//! A client asks for an epoch by publishing a number other than the present one, after it has brought its own
//! page to its beginning. Its first start, its restart and its way back from quarantine are the same thing.
//! This file is also the one place that applies the consequence of a protocol violation.

use ferry_layout::{Consumer, DomainId, Producer, Standing, Status};

use super::Engine;
use super::client::Ports;
use crate::machine::Machine;
use crate::table::ClientSet;

impl Engine {
    /// Lets `client` in, in the epoch that it asks for. What it left behind is dropped: its own sends without
    /// a word (it is not there any more to read one), its peers' waiting sends with `PeerReset`, its frames
    /// unmapped.
    #[cold]
    pub(super) fn begin_epoch(
        &mut self,
        machine: &mut impl Machine,
        client: DomainId,
        ports: Ports,
        epoch: u32,
    ) {
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
        state.deliveries = Producer::new(0);
        state.budget.reset();
        ports.to_client.clear_statuses();
        ports.to_client.journal.forget_requests();
        ports.to_client.transmit_head.publish(0);
        ports.to_client.post_head.publish(0);
        ports.to_client.ended_late.publish(0);
        // In this order: what is between the two was delivered in this epoch.
        ports.to_client.settled.publish(0);
        ports.to_client.delivery_tail.publish(0);
        ports.to_client.set_standing(Standing::Open);
        // Last: whoever sees the epoch sees everything above.
        ports.to_client.epoch.publish(epoch);
        self.to_signal.insert(client);
        // Sends may wait for it since before it was here, when there was no use in asking for requests.
        self.reconsider.insert(client);
        self.rouse_waiters(client);
    }

    /// An index of `client` was impossible. That is a breach of the protocol, unless the client has just
    /// cleared its magic to restart: then it was bringing its page to its beginning.
    pub(super) fn suspect(&mut self, client: DomainId, ports: Ports) {
        if ports.from_client.wanted_epoch() == Some(self.clients[client].epoch) {
            self.offenders.insert(client);
        }
    }

    /// Shuts out every client that was found to have broken the protocol. Its queues are read no more, its
    /// frames are unmapped, its peers' waiting sends end with `Quarantined`. Everyone else goes on.
    #[inline]
    pub(super) fn expel_offenders(&mut self, machine: &mut impl Machine) {
        if !self.offenders.is_empty() {
            for client in core::mem::replace(&mut self.offenders, ClientSet::EMPTY).iter() {
                self.quarantine(machine, client);
            }
        }
    }

    #[cold]
    fn quarantine(&mut self, machine: &mut impl Machine, client: DomainId) {
        self.clients[client].standing = Standing::Quarantined;
        if let Some(ports) = self.clients[client].ports {
            ports.to_client.set_standing(Standing::Quarantined);
        }
        self.to_signal.insert(client);
        self.detach(machine, client, Some(Status::Quarantined));
    }

    /// Takes `client` out of all queues, its own and its peers', and unmaps its frames. Sends that wait for
    /// it end with `status`, or stay if there is none. Between turns only.
    fn detach(&mut self, machine: &mut impl Machine, client: DomainId, status: Option<Status>) {
        self.drop_waiting(client);
        if let Some(status) = status {
            self.end_all_waiting(client, status);
        }
        let state = &mut self.clients[client];
        let transmit = state.transmit_buffer.unmap_all(client, machine);
        let receive = state.receive_buffer.unmap_all(client, machine);
        state.count(|counters| counters.unmaps.add((transmit.0 + receive.0).into()));
    }
}
