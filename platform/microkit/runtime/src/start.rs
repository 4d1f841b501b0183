//! How a PD begins, how Microkit's wake-ups reach its handler, and how it ends when it panics.

use core::convert::Infallible;
use core::panic::PanicInfo;

use ferry_platform::{ChannelSet, Handler};

use crate::supervisor;

/// Makes `init`, a `fn() -> impl Handler`, the beginning of this protection domain. Once per program.
#[macro_export]
macro_rules! protection_domain {
    ($init:path) => {
        $crate::sel4_microkit::declare_protection_domain!(init = $crate::prepare($init));
    };
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
}

/// Makes `init` what `sel4-microkit` starts.
#[doc(hidden)]
pub fn prepare<H: Handler>(init: fn() -> H) -> impl FnOnce() -> Adapter<H> {
    move || {
        sel4_microkit::panicking::set_hook(&report);
        Adapter(init())
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
