//! Channels as event counters: each direction of a channel is one, and only the domain that signals has it.
//! So who can signal is fixed by who has the file, nobody else can fill it or change its mode, and signals
//! merge like those of a seL4 notification.
//!
//! A domain waits for all that signal it by one file, an epoll instance into which the launcher has put their
//! counters. It is edge-triggered: each signal makes its channel ready once more, several before a wake-up
//! count as one, and the counter itself is never read. So a wake-up is one system call, whatever it is about.

use crate::process;
use ferry_platform::{Channel, ChannelSet};
use rustix::event::epoll;
use rustix::time::Timespec;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// Signals the PD at the other end of a channel. Never blocks; signals that were not yet seen merge into one.
/// Without such a channel nothing happens.
pub fn notify(channel: Channel) {
    let rings = process::get().map(|process| &process.rings);
    if let Some(Some(ring)) = rings.and_then(|rings| rings.get(usize::from(channel.number()))) {
        // Never full: this process alone adds to it, and would need centuries.
        let _ = rustix::io::write(ring, &1_u64.to_ne_bytes());
    }
}

/// Signals as [`notify`] does, for a PD of higher priority: here there are none.
pub fn notify_above(channel: Channel) {
    notify(channel);
}

/// Signals as [`notify`] does: Linux cannot signal and wait in one call. For the last thing that a handler
/// does.
pub fn notify_on_return(channel: Channel) {
    notify(channel);
}

/// Blocks until there are signals, and gives the channels that they are about.
pub(crate) fn wait(epoll: &OwnedFd) -> ChannelSet {
    loop {
        if let Ok(channels) = ready(epoll, None) {
            return channels;
        }
    }
}

/// The channels that were signalled since the last wake-up or look, without waiting. They come in no other
/// wake-up.
#[must_use]
pub fn poll() -> ChannelSet {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ready = process::get().map(|process| ready(&process.wait, Some(&at_once)));
    // Interrupted, it has taken nothing.
    ready.and_then(Result::ok).unwrap_or_default()
}

/// The channels that are signalled, after waiting for one no longer than that.
fn ready(epoll: &OwnedFd, longest: Option<&Timespec>) -> rustix::io::Result<ChannelSet> {
    let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; 64];
    let (ready, _) = epoll::wait(epoll, &mut events, longest)?;
    let bits = ready.iter().fold(0, |bits, event| bits | 1 << (event.data.u64() & 63));
    Ok(ChannelSet::from_bits(bits))
}
