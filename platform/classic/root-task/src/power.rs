//! The end of the machine: QEMU's device `isa-debug-exit` ends QEMU, with the exit status `code * 2 + 1`. On
//! a machine without that device the initialiser stops here, and only the PDs go on.

use crate::console::println;
use ferry_boards::Exit;
use ferry_classic_abi::number::{constant, label};
use ferry_classic_abi::{MessageInfo, syscall};

/// Ends the machine. Codes above [`Exit::DEBUG_EXIT_MOST`] count as that.
pub(crate) fn off(code: u8) -> ! {
    let message = MessageInfo::new(label::X86IOPortOut8, 0, 2);
    let words = [Exit::DEBUG_EXIT_PORT.into(), code.min(Exit::DEBUG_EXIT_MOST).into(), 0, 0];
    // Both words travel in registers, so this works whatever the state of the IPC buffer is.
    let _ = syscall::call(constant::seL4_CapIOPort, message, words);
    println!(
        "ferry: initialiser: the machine has no isa-debug-exit device at port {:#x}, so it stays on",
        Exit::DEBUG_EXIT_PORT
    );
    loop {
        // Nothing is ever received: the endpoint capability does not exist, and the kernel stops this thread.
        let _ = syscall::receive(constant::seL4_CapNull);
    }
}
