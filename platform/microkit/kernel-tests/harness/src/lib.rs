//! Stands in for libtest: a root task that runs all tests linked to it, and gives them what the kernel handed
//! over.
//!
//! The last thing it prints is `INDICATE_SUCCESS` or `INDICATE_FAILURE` with a control byte, for which the
//! runner waits. A test that fails ends the run, because panics abort.
#![no_std]
#![no_main]

use core::cell::UnsafeCell;

use sel4::{BootInfo, BootInfoPtr};
use sel4_root_task::root_task;

pub use sel4_test_harness::for_generated_code::*;

/// The harness allocates names of tests.
const HEAP_BYTES: usize = 1 << 20;

struct Given(UnsafeCell<Option<BootInfoPtr>>);

// SAFETY: written once, before the first test; read only from then on. The root task has one thread.
unsafe impl Sync for Given {}

static BOOT_INFORMATION: Given = Given(UnsafeCell::new(None));

/// What the kernel handed over.
///
/// # Panics
/// If no test is running.
pub fn boot_information() -> &'static BootInfoPtr {
    // SAFETY: `main` has written it before the first test, and nobody writes it after that.
    unsafe { &*BOOT_INFORMATION.0.get() }.as_ref().expect("a test is running")
}

#[root_task(heap_size = HEAP_BYTES)]
fn main(boot_information: &BootInfoPtr) -> ! {
    let address: *const BootInfo = boot_information.ptr();
    // SAFETY: the address is that of the kernel's pages, which stay where they are.
    let boot_information = unsafe { BootInfoPtr::new(address.cast_mut()) };
    // SAFETY: no test runs yet, so nobody reads it.
    unsafe { *BOOT_INFORMATION.0.get() = Some(boot_information) };
    sel4_test_harness::run_test_main();
    sel4::init_thread::suspend_self()
}
