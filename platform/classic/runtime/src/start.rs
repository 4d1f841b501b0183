//! How a PD begins, how it gets its wake-ups, and how it ends when it panics.

use ferry_classic_abi::{MessageInfo, syscall};
use ferry_classic_places::slots;
use ferry_platform::{ChannelSet, Handler, Panic};

/// Makes `init`, a `fn() -> impl Handler`, the beginning of this protection domain. Use it once in a program.
#[macro_export]
macro_rules! protection_domain {
    ($init:path) => {
        // The initialiser starts here, with a stack that is aligned as after a call.
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> ! {
            $crate::run($init)
        }
    };
}

/// Initialises the PD, then passes every wake-up to its handler.
#[doc(hidden)]
pub fn run<H: Handler>(init: impl FnOnce() -> H) -> ! {
    let mut handler = init();
    loop {
        let signals = syscall::receive(slots::NOTIFICATION).badge;
        handler.notified(ChannelSet::from_bits(signals));
    }
}

#[panic_handler]
fn panicked(info: &core::panic::PanicInfo) -> ! {
    crate::println!("{}", Panic { place: info.location(), message: info.message() });
    let message = MessageInfo::new(slots::STOP_LABEL, 0, 0);
    loop {
        let _ = syscall::call(slots::INITIALISER, message, [0; 4]);
    }
}
