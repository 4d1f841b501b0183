//! How a PD begins, and how it ends when it panics.

use core::panic::PanicInfo;

use ferry_platform::Handler;
use sel4_microkit::Never;

use crate::{supervisor, wake};

/// Makes `init`, a `fn() -> impl Handler`, the beginning of this protection domain. Use it once in a program.
#[macro_export]
macro_rules! protection_domain {
    ($init:path) => {
        $crate::sel4_microkit::declare_protection_domain!(init = $crate::prepare($init));
    };
}

/// Turns `init` into what `sel4-microkit` starts. It runs the PD, and never reaches the event loop of that
/// crate.
#[doc(hidden)]
pub fn prepare<H: Handler>(init: fn() -> H) -> impl FnOnce() -> Never {
    move || {
        sel4_microkit::panicking::set_hook(&report);
        wake::run(init())
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
