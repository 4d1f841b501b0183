//! What clients have published: sends, receive requests, and how far they have emptied their receive queue.
//!
//! [`Engine::look`] comes before all turns of a round, and it may answer. What a turn itself looks up
//! (`look_for_requests`, `learn_room`) publishes nothing, because only `settle.rs` makes the work of a turn
//! visible.

use ferry_layout::{DeliveryKind, DomainId, Offence};

use super::Engine;
use super::audit::request_refused;
use super::client::Ports;

impl Engine {
    /// Reads how far the queue of sends of `client` goes, which is open, and its receive requests. Must be
    /// called between turns: it answers requests, and an answer publishes all deliveries before it.
    #[inline]
    pub(super) fn look(&mut self, client: DomainId, ports: Ports) {
        let state = &mut self.clients[client];
        if state.transmit.refresh(ports.from_client.transmit_tail.observe()).is_err() {
            self.suspect(client, ports, Offence::TransmitTail);
            return;
        }
        self.learn_requests(client, ports);
        let requests = &self.clients[client].requests;
        if requests.has_new() || requests.may_have_withdrawn(ports.from_client) {
            self.take_and_answer(client, ports);
        }
    }

    /// Reads what `client` has posted. The client must be open. It need not signal what it posts, so a turn
    /// calls this when a message for the client finds no open buffer or window. What has to be answered is
    /// left to the look of the next round.
    pub(super) fn look_for_requests(&mut self, client: DomainId, ports: Ports) {
        self.learn_requests(client, ports);
        let state = &mut self.clients[client];
        if state.requests.has_new() {
            let mut offered = false;
            let (unanswered, withdrawn) =
                (state.requests.unanswered, state.requests.has_to_look_for_withdrawn());
            let bytes = state.receive_buffer.bytes();
            state.requests.take(ports.from_client, bytes, &mut state.inspections, false, &mut offered);
            let must_answer = (state.requests.has_new() && !unanswered)
                || (state.requests.has_to_look_for_withdrawn() && !withdrawn);
            if must_answer {
                self.look_again.insert(client);
            }
            self.pending.note_requests(client);
            if offered {
                self.rouse_waiters(client);
            }
        }
    }

    /// Reads the post tail and the delivery head of `client`, but no request.
    #[inline(always)]
    pub(super) fn learn_requests(&mut self, client: DomainId, ports: Ports) {
        let state = &mut self.clients[client];
        let tail = ports.from_client.post_tail.observe();
        if tail != state.requests.tail() && state.requests.refresh(tail).is_err() {
            self.suspect(client, ports, Offence::PostTail);
            return;
        }
        self.learn_room(client, ports);
    }

    /// Reads the delivery head of `client`: how far it has emptied its receive queue.
    #[inline(always)]
    pub(super) fn learn_room(&mut self, client: DomainId, ports: Ports) {
        let state = &mut self.clients[client];
        let head = ports.from_client.delivery_head.observe();
        if head == state.deliveries.head() {
            return;
        }
        let was_full = !state.has_room();
        if state.deliveries.refresh(head).is_err() {
            self.suspect(client, ports, Offence::DeliveryHead);
        } else if was_full {
            self.rouse_waiters(client);
        }
    }

    /// Whether what `client` has posted may stay in its ring until a message needs it. Nobody waits for it,
    /// and nothing is withdrawn. Besides:
    ///
    /// * It is a guard, and central has taken what there was once since the last tick. A guard signals its
    ///   verdicts, and would otherwise have its buffers recorded each time.
    /// * Or it is the target of a one-way flow, and has got messages since the tick before this one. At a
    ///   tick, central looks at everybody.
    ///
    /// So every request that must be refused is refused at the second tick at the latest.
    fn may_leave_requests(&mut self, client: DomainId, ports: Ports) -> bool {
        let state = &mut self.clients[client];
        let is_needed = state.waits.is_awaited()
            || state.requests.unanswered
            || state.requests.may_have_withdrawn(ports.from_client);
        let used_at = state.requests_used_at.take_if(|tick| *tick != self.now);
        let is_in_use = used_at == Some(self.now.wrapping_sub(1));
        let was_taken = state.is_guard && state.requests_taken_at == Some(self.now);
        let may_leave = !is_needed && (was_taken || is_in_use);
        if !may_leave {
            state.requests_taken_at = Some(self.now);
        }
        may_leave
    }

    /// Notes that an index of `client` was impossible, the one that `offence` names. That is a breach of the
    /// protocol, unless the client is restarting: it has cleared its magic, or it asks for another epoch.
    /// Then it was resetting its page.
    #[cold]
    pub(super) fn suspect(&mut self, client: DomainId, ports: Ports, offence: Offence) {
        self.clients[client].offence = offence;
        if ports.from_client.wanted_epoch() == Some(self.clients[client].epoch) {
            self.offenders.insert(client);
        }
    }

    /// Takes new receive requests and withdrawals, answers those that need it, and rouses the clients that
    /// wait for this one.
    #[inline(never)]
    fn take_and_answer(&mut self, client: DomainId, ports: Ports) {
        if self.clients[client].leaves_requests && self.may_leave_requests(client, ports) {
            return;
        }
        let state = &mut self.clients[client];
        let mut offered = false;
        let bytes = state.receive_buffer.bytes();
        state.requests.unanswered = false;
        let from_client = ports.from_client;
        loop {
            let may_answer = state.has_room();
            let refused =
                state.requests.take(from_client, bytes, &mut state.inspections, may_answer, &mut offered);
            let Some(refused) = refused else { break };
            self.audit.append(self.now, request_refused(client, refused));
            state.answer(ports, DeliveryKind::Refused, refused);
            state.count(|counters| counters.refused.add(1));
            self.to_signal.insert(client);
        }
        while state.requests.may_have_withdrawn(ports.from_client) {
            if !state.has_room() {
                state.requests.unanswered = true;
                break;
            }
            let Some(withdrawn) = state.requests.take_withdrawn(ports.from_client, &mut state.inspections)
            else {
                break;
            };
            state.answer(ports, DeliveryKind::Withdrawn, withdrawn);
            self.to_signal.insert(client);
        }
        if state.requests.unanswered {
            self.reconsider.insert(client);
        }
        state.requests.publish(ports.to_client);
        if offered {
            self.rouse_waiters(client);
        }
    }
}
