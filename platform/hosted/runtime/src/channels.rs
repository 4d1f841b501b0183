//! Channels as event counters. Each direction of a channel is one counter, and only the domain that signals
//! has its file. So only that domain can signal, and nobody else can fill the counter or change its mode.
//! Signals merge like those of a seL4 notification.
//!
//! A domain waits for everybody who signals it with one file, an epoll instance into which the launcher has
//! put their counters. The instance is edge-triggered: each signal makes its channel ready once more, several
//! signals before a wake-up count as one, and the counter itself is never read. So a wake-up is one system
//! call, whatever channels it is about.

use crate::process;
use ferry_platform::{Channel, ChannelSet};
use rustix::event::epoll;
use rustix::time::Timespec;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// Signals the PD at the other end of a channel. Never blocks; signals that were not yet seen merge into one.
/// If this PD has no such channel, nothing happens.
pub fn notify(channel: Channel) {
    let counters = process::get().map(|process| &process.counters);
    if let Some(Some(counter)) = counters.and_then(|counters| counters.get(usize::from(channel.number()))) {
        // The counter is never full: only this process adds to it, and filling it would take centuries.
        let _ = rustix::io::write(counter, &1_u64.to_ne_bytes());
    }
}

/// Signals as [`notify`] does, for a PD of higher priority. This platform has only one way to signal.
pub fn notify_above(channel: Channel) {
    notify(channel);
}

/// Signals as [`notify`] does, as the last thing that a handler does. Linux cannot signal and wait in one
/// call.
pub fn notify_on_return(channel: Channel) {
    notify(channel);
}

/// Blocks until there are signals, and returns the channels that were signalled.
pub(crate) fn wait(epoll: &OwnedFd) -> ChannelSet {
    loop {
        if let Ok(channels) = ready(epoll, None) {
            return channels;
        }
    }
}

/// The channels that were signalled since the last wake-up or call of this function. It does not wait. No
/// later wake-up reports them again.
#[must_use]
pub fn poll() -> ChannelSet {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ready = process::get().map(|process| ready(&process.wait, Some(&at_once)));
    // A call that was interrupted has taken no signal.
    ready.and_then(Result::ok).unwrap_or_default()
}

/// Takes the channels that were signalled. If there are none, waits for the first signal, at most for
/// `longest`.
fn ready(epoll: &OwnedFd, longest: Option<&Timespec>) -> rustix::io::Result<ChannelSet> {
    let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; 64];
    let (ready, _) = epoll::wait(epoll, &mut events, longest)?;
    let bits = ready.iter().fold(0, |bits, event| bits | 1 << (event.data.u64() & 63));
    Ok(ChannelSet::from_bits(bits))
}
