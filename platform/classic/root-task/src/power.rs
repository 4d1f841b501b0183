//! The end of the machine: QEMU's device `isa-debug-exit` at I/O port 0xf4 ends QEMU, with the exit status
//! `code * 2 + 1`. On a machine without that device the initialiser stops here, and only the PDs go on.

use crate::console::println;
use ferry_classic_abi::number::{constant, label};
use ferry_classic_abi::{MessageInfo, syscall};

const PORT: u64 = 0xf4;
/// A process's status has eight bits, one of which the device takes.
const MAXIMUM_CODE: u8 = 127;

/// Ends the machine. Codes above 127 count as 127.
pub(crate) fn off(code: u8) -> ! {
    let message = MessageInfo::new(label::X86IOPortOut8, 0, 2);
    let words = [PORT, u64::from(code.min(MAXIMUM_CODE)), 0, 0];
    // Both words travel in registers, so this works whatever the state of the IPC buffer is.
    let _ = syscall::call(constant::seL4_CapIOPort, message, words);
    println!(
        "ferry: initialiser: the machine has no isa-debug-exit device at port {PORT:#x}, so it stays on"
    );
    loop {
        // Nothing is ever received: the endpoint capability does not exist, and the kernel stops this thread.
        let _ = syscall::receive(constant::seL4_CapNull);
    }
}
