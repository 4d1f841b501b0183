//! How a PD begins, how Microkit's wake-ups reach its handler, and how it ends when it panics.

use core::convert::Infallible;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

use ferry_platform::{Channel, ChannelSet, Handler};
use sel4_microkit::DeferredAction;

use crate::supervisor;

/// Makes `init`, a `fn() -> impl Handler`, the beginning of this protection domain. Once per program.
#[macro_export]
macro_rules! protection_domain {
    ($init:path) => {
        $crate::sel4_microkit::declare_protection_domain!(init = $crate::prepare($init));
    };
}

/// The channel of the signal that is left to the next wait, or [`NONE`].
static DEFERRED: AtomicUsize = AtomicUsize::new(NONE);

/// No channel.
const NONE: usize = usize::MAX;

/// Leaves a signal to the next wait, in the place of another one, which goes out now. A PD has one thread, so nothing comes
/// in between.
pub(crate) fn defer(channel: Channel) {
    if let Some(earlier) = take_deferred() {
        earlier.notify();
    }
    DEFERRED.store(usize::from(channel.number()), Ordering::Relaxed);
}

/// The signal that was left to the next wait.
fn take_deferred() -> Option<sel4_microkit::Channel> {
    let channel = DEFERRED.load(Ordering::Relaxed);
    DEFERRED.store(NONE, Ordering::Relaxed);
    (channel != NONE).then(|| sel4_microkit::Channel::new(channel))
}

/// What Microkit's event loop calls: the PD's handler in the shape that `sel4-microkit` expects.
pub struct Adapter<H>(H);

impl<H: Handler> sel4_microkit::Handler for Adapter<H> {
    type Error = Infallible;

    fn notified(&mut self, channels: sel4_microkit::ChannelSet) -> Result<(), Infallible> {
        let bits = channels.iter().fold(0, |bits, channel| bits | 1 << channel.index());
        self.0.notified(ChannelSet::from_bits(bits));
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        take_deferred().map(DeferredAction::new_notify)
    }
}

/// Makes `init` what `sel4-microkit` starts.
#[doc(hidden)]
pub fn prepare<H: Handler>(init: fn() -> H) -> impl FnOnce() -> Adapter<H> {
    move || {
        sel4_microkit::panicking::set_hook(&report);
        let handler = init();
        // The event loop asks for a deferred signal after an event only.
        if let Some(channel) = take_deferred() {
            channel.notify();
        }
        Adapter(handler)
    }
}

/// Reports a panic. With a supervisor this is also the end of the PD; without one, `sel4-microkit` aborts it.
fn report(info: &PanicInfo) {
    let name = sel4_microkit::pd_name().unwrap_or("?");
    supervisor::end_line();
    crate::print!("ferry: panic domain={name} {}", OneLine(info));
    supervisor::stop();
}

/// A panic's place and message without the line break that `PanicInfo` puts between them.
struct OneLine<'a>(&'a PanicInfo<'a>);

impl core::fmt::Display for OneLine<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let Some(place) = self.0.location() {
            write!(formatter, "at={place} ")?;
        }
        writeln!(formatter, "{}", self.0.message())
    }
}
