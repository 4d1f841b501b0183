//! Before central sleeps: it arms the wake hints of clients, and looks at each of them once more. `round.rs`
//! has the argument that no wake-up is lost.

use ferry_layout::{DomainId, Standing};

use super::Engine;
use crate::table::ClientSet;

impl Engine {
    /// Arms the wake hints of the clients in `awake` that are in `part`, and looks at each of them once more.
    /// Also arms or disarms the wake hints for requests in `part` where that may have to change. Returns the
    /// clients that have published something, so that central must not sleep.
    #[inline]
    pub(super) fn arm(&mut self, part: ClientSet, awake: &mut ClientSet) -> ClientSet {
        if awake.union(self.reconsider).union(self.asking).is_empty() {
            return ClientSet::EMPTY;
        }
        self.arm_hints(part, awake)
    }

    #[inline(never)]
    fn arm_hints(&mut self, part: ClientSet, awake: &mut ClientSet) -> ClientSet {
        let mut news = ClientSet::EMPTY;
        for client in awake.intersection(part).iter() {
            let Some(ports) = self.clients[client].ports else { continue };
            ports.to_client.wake.arm();
            let state = &self.clients[client];
            // `look` does nothing for a client that has cleared its magic, so what that client publishes must
            // not keep central awake. Otherwise central would start round after round without end.
            if state.standing == Standing::Open
                && (ports.from_client.transmit_tail.observe() != state.transmit.tail()
                    || ports.from_client.post_tail.observe() != state.requests.tail()
                    || (!state.requests.unanswered && state.requests.may_have_withdrawn(ports.from_client)))
                && ports.from_client.wanted_epoch().is_some()
            {
                news.insert(client);
            }
        }
        *awake = awake.without(part);
        let asked = self.reconsider.union(self.asking).intersection(part);
        self.reconsider = self.reconsider.without(part);
        for client in asked.iter() {
            if self.ask_for_requests(client) {
                news.insert(client);
            }
        }
        news
    }

    /// Arms the wake hint for requests of `client` and looks once more, if a send waits for the client or an
    /// answer waits for a place in its receive queue. Otherwise disarms the hint. Returns whether the client
    /// has already posted or taken something, so that central must not sleep.
    fn ask_for_requests(&mut self, client: DomainId) -> bool {
        let state = &self.clients[client];
        let Some(ports) = state.ports else { return false };
        let waits =
            state.standing == Standing::Open && (state.waits.is_awaited() || state.requests.unanswered);
        if !waits {
            self.asking.remove(client);
            ports.to_client.wake_for_requests.disarm();
            return false;
        }
        self.asking.insert(client);
        ports.to_client.wake_for_requests.arm();
        let has_posted = ports.from_client.post_tail.observe() != state.requests.tail();
        let has_taken =
            !state.has_room() && ports.from_client.delivery_head.observe() != state.deliveries.head();
        (has_posted || has_taken) && ports.from_client.wanted_epoch().is_some()
    }
}
