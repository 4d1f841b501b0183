//! Partitions: under a domain schedule, central serves the clients of one scheduling domain only in those of
//! its own time slots that follow that domain's.
//!
//! The clients of one scheduling domain are a partition. Another protection domain of that scheduling domain,
//! its announcer, signals central at the beginning of each of the domain's time slots. So when central runs
//! next, it knows whose time slot it follows, and serves that partition until the next announcement. What it
//! does for a partition takes no time of another one, but for the round that is under way when the time slot
//! ends.
//!
//! * At an announcement central looks at all clients of the partition. So what they have published meanwhile
//!   needs no note, and neither does the work that they had left. It waits, and nothing is lost.
//! * Between partitions there are only one-way flows, so each component is in one partition
//!   ([`crate::components`]). A message of such a flow is carried in its sender's time slot, into a buffer
//!   that the receiver has posted before. What a guard has judged goes on in the guard's time slot.
//! * A tick counts for all clients at once. What is due at it (sends that end or expire, frames to unmap) is
//!   done for each partition in its own time slot.
//! * A client that is found to have broken the protocol in the time slot of another partition is quarantined
//!   in its own.
//! * Nobody is served before the first announcement, and if two partitions are announced at once, because a
//!   round took longer than a whole time slot.

use super::Engine;
use crate::machine::Machine;
use crate::table::ClientSet;

impl Engine {
    /// Turns to the partition with these members: its announcer has signalled. They must be among those that
    /// have signalled when [`run`](Self::run) is called next.
    #[cold]
    #[inline(never)]
    pub fn serve_partition(&mut self, machine: &mut impl Machine, announced: ClientSet) {
        self.served = self.partitions.announced(announced);
        self.expel_offenders(machine);
        self.do_tick(machine);
    }

    /// Between two rounds: turns to another partition if one was announced. The one that was served comes to
    /// rest, whatever it has left. Returns whether there was an announcement.
    #[cold]
    #[inline(never)]
    pub(super) fn follow_schedule(&mut self, machine: &mut impl Machine, awake: &mut ClientSet) -> bool {
        let announced = machine.announced();
        if announced.is_empty() {
            return false;
        }
        // What its clients have published since the last look, the next announcement finds.
        let _ = self.arm(self.served, awake);
        self.serve_partition(machine, announced);
        true
    }
}
