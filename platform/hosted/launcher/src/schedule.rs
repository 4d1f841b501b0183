//! Who runs when. Linux shares out the processors, unless the system is to run by the priorities of its
//! description. Then each domain is in Linux's real-time class, ranked as the description ranks it. On one
//! processor a signal to a domain of higher priority runs that domain at once, as on seL4. A user needs a
//! right for this that not everybody has.

use libc::c_int;
use std::collections::BTreeSet;
use std::io;

/// How a system is scheduled.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Scheduling {
    /// By Linux, as all processes are.
    #[default]
    Linux,
    /// By priority, with the launcher's thread above all domains. A domain that never rests keeps those below
    /// it from running.
    ByPriority,
}

/// A place in the real-time class, 1 to 99; higher runs first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rank(c_int);

impl Rank {
    /// The rank of each domain by its priority, and the launcher's above them. Only the order counts: there
    /// are more priorities than ranks.
    pub(crate) fn all(priorities: &[u8]) -> (Vec<Self>, Self) {
        let order: BTreeSet<u8> = priorities.iter().copied().collect();
        let rank = |below: usize| Self(c_int::try_from(below + 1).unwrap_or(c_int::MAX));
        let ranks = priorities.iter().map(|priority| rank(order.range(..priority).count()));
        (ranks.collect(), rank(order.len()))
    }

    /// Gives this rank to the calling thread.
    pub(crate) fn take(self) -> io::Result<()> {
        set(libc::SCHED_RR, self.0)
    }
}

/// Whether this user may run systems by priority.
#[must_use]
pub fn may_prioritise() -> bool {
    Rank(1).take().is_ok() && set(libc::SCHED_OTHER, 0).is_ok()
}

fn set(class: c_int, sched_priority: c_int) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority };
    // SAFETY: the call reads `parameters`, which has the type that it expects. 0 stands for the calling
    // thread.
    let done = unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, class, &raw const parameters) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::Rank;

    #[test]
    fn ranks_are_dense_and_in_the_order_of_priorities() {
        let (ranks, launcher) = Rank::all(&[210, 200, 100, 100, 254, 0]);
        assert_eq!(ranks, [4, 3, 2, 2, 5, 1].map(Rank));
        assert_eq!(launcher, Rank(6));
    }
}
