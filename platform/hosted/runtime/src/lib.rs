//! The runtime of the hosted platform: what a protection domain (PD) links to run as a Linux process.
//!
//! It offers the names that every platform's crate `runtime` offers, so PD sources know nothing of Linux. The
//! process is confined before any of those sources runs. It has the files of its table and no others. Its
//! regions are mapped and their files closed. A seccomp filter leaves it what a PD can do on seL4 (wait,
//! signal, print, end) and memory of its own. Only the PD with a window keeps the files of its frames, those
//! of transmit buffers read-only.
//!
//! This platform does not guarantee what seL4 guarantees. The launcher makes nearly all of the confinement,
//! and that part binds any program. The rest begins in this crate's own code, so it binds only programs that
//! are linked to it. The scheduler is Linux's: it uses several processors, and priorities only where the
//! launcher is asked for them. The platform is there for speed of work, for tools and for comparison, not for
//! security.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("the hosted platform is written for Linux on x86-64");

mod channels;
mod confine;
mod console;
mod faults;
mod process;
mod start;
mod window;

pub use channels::{notify, notify_above, notify_on_return, poll};
pub use ferry_platform::{Channel, ChannelSet, Frame, Handler, MapError, Region, copy_opaque};
pub use process::{exit, wait_for_period, yield_now};
pub use window::{Window, window};

#[doc(hidden)]
pub use console::print;
#[doc(hidden)]
pub use process::{channel_of, region_of};
#[doc(hidden)]
pub use start::run;

/// The [`Region`] whose address and size the system description gives to the symbols `name` and `name_size`,
/// or `None` if it does not.
#[macro_export]
macro_rules! region {
    ($name:ident) => {
        $crate::region_of(stringify!($name))
    };
}

/// The [`Channel`] whose number the system description gives to the symbol `name`, or `None` if it does not.
#[macro_export]
macro_rules! channel {
    ($name:ident) => {
        $crate::channel_of(stringify!($name))
    };
}
