//! How a PD begins, and how it ends when it panics.

use core::panic::PanicInfo;

use ferry_platform::{Handler, Panic};
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
    crate::println!("{}", Panic { place: info.location(), message: info.message() });
    supervisor::stop();
}
