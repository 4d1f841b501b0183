//! What is due at a tick: ends of messages of one-way flows, sends that expire, guards that are late, and
//! frames that nobody has used for a whole period.

use super::Engine;
use crate::machine::Machine;

impl Engine {
    /// Counts a tick, and does what is due at it for the clients that are served now. Signals the reader of
    /// the audit log if there is something new for it.
    #[inline(never)]
    pub(super) fn pass_tick(&mut self, machine: &mut impl Machine) {
        self.now = self.now.wrapping_add(1);
        self.overdue = self.all;
        self.do_tick(machine);
        if self.audit.take_news() {
            machine.signal_audit_reader();
        }
    }

    /// Does what is due since the last tick for the clients that are served now. Says `Done` for what they
    /// have sent in one-way flows, ends their sends that have expired, and unmaps their frames if they were
    /// not active since the tick before.
    pub(super) fn do_tick(&mut self, machine: &mut impl Machine) {
        let clients = self.overdue.intersection(self.served);
        self.overdue = self.overdue.without(clients);
        let sources = self.one_way.sources.intersection(clients);
        if !sources.is_empty() {
            self.end_carried(sources);
            if self.relays.exist() {
                self.end_late_relays(sources);
            }
        }
        let active = self.active.intersection(clients);
        self.active = self.active.without(clients);
        for client in clients.iter() {
            self.expire(client);
            if !active.contains(client) {
                self.clients[client].unmap_all(client, machine);
            }
        }
        if self.partitions.exist() {
            self.keep_to_partition(machine);
        }
    }

    /// Does what is due for messages that are with guards. Then forgets who else was to be looked at or to
    /// get a turn: central looks at them in their own time slot. Must be called between turns.
    #[cold]
    #[inline(never)]
    pub(super) fn keep_to_partition(&mut self, machine: &mut impl Machine) {
        if self.relays.are_stirred() {
            self.walk_relays(machine);
        }
        self.settle_verdicts();
        self.roused = self.roused.intersection(self.served);
        self.look_again = self.look_again.intersection(self.served);
    }
}
