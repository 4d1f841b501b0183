//! A program that links only if no panic can be reached from the engine.
//!
//! It does what the central protection domain does: it reads a configuration, configures the engine and runs
//! it. Its machine does next to nothing. Its panic handler calls a function that does not exist. The linker
//! drops what cannot be reached. If a panic can be reached, the function is missing and the link fails.
//!
//! `tests/no_panic.rs` builds it for the machine without an operating system, with the flags of the real
//! central. It is never run. On a host it is an empty program.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod central {
    use core::hint::black_box;

    use ferry_central::{ClientSet, Engine, FrameRef, Machine, MapFailed, Ports};
    use ferry_layout::config::Config;
    use ferry_layout::{DomainId, InRegion, OutRegion};

    unsafe extern "C" {
        /// Nobody defines it.
        fn a_panic_can_be_reached_from_the_engine() -> !;
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        // SAFETY: a program in which this is reachable does not link.
        unsafe { a_panic_can_be_reached_from_the_engine() }
    }

    /// A machine about which the compiler knows nothing.
    struct Opaque;

    impl Machine for Opaque {
        fn map(&mut self, frame: FrameRef) -> Result<(), MapFailed> {
            // The test plants this panic, to see that the check can fail.
            if option_env!("FERRY_PLANTED_PANIC").is_some() {
                black_box([0_u8; 4][frame.number as usize]);
            }
            black_box(frame);
            black_box(Ok(()))
        }

        fn unmap(&mut self, frame: FrameRef) {
            black_box(frame);
        }

        fn copy(&mut self, from: u64, to: u64, length: u32) {
            black_box((from, to, length));
        }

        fn signal(&mut self, client: DomainId) {
            black_box(client);
        }

        fn poll_tick(&mut self) -> bool {
            black_box(false)
        }

        fn announced(&mut self) -> ClientSet {
            black_box(ClientSet::EMPTY)
        }
    }

    static mut ENGINE: Engine = Engine::new();

    /// # Safety
    /// Never to be called.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn _start(
        configuration: *const u8,
        bytes: usize,
        from_client: *const OutRegion,
        to_client: *const InRegion,
    ) -> ! {
        // SAFETY: never called.
        let blob = unsafe { core::slice::from_raw_parts(configuration, bytes) };
        let engine = &raw mut ENGINE;
        // SAFETY: likewise.
        let engine = unsafe { &mut *engine };
        // SAFETY: likewise.
        let from_client = unsafe { &*from_client };
        // SAFETY: likewise.
        let to_client = unsafe { &*to_client };
        if let Ok(config) = Config::parse(blob) {
            engine.configure(&config, |_| Some(Ports { from_client, to_client }));
            loop {
                let mut woken = ClientSet::EMPTY;
                if let Some(client) = DomainId::new(black_box(0)) {
                    woken.insert(client);
                }
                engine.serve_partition(&mut Opaque, black_box(woken));
                engine.run(&mut Opaque, woken, black_box(false));
            }
        }
        loop {
            core::hint::spin_loop();
        }
    }
}
