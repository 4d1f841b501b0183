//! System calls, by inline assembly: the only place where a program enters the kernel.
//!
//! The kernel's convention: number in `rdx`, capability pointer in `rdi`, message information in `rsi`, the
//! first four words of the message in `r10`, `r8`, `r9` and `r15`. It keeps every other register except `rcx`
//! and `r11`, which the instruction changes, and `rsp`, which the caller has to save. Here `r14` saves it.

use crate::message::{Message, MessageInfo};
use crate::number::syscall as number;
use core::arch::asm;

/// Makes any system call: sends `words` and `info` to `capability`, and returns what the registers hold
/// afterwards. A call that returns nothing leaves them as they were.
fn enter(call: i64, capability: u64, info: MessageInfo, words: [u64; 4]) -> Message {
    let [mut first, mut second, mut third, mut fourth] = words;
    let mut badge = capability;
    let mut information = info.word();
    // SAFETY: the registers follow the kernel's convention, and every register that it changes is declared.
    // The kernel reads and writes memory of this program only in its IPC buffer; the missing `nomem` tells
    // the compiler so. What an invocation may do to the address space is for the callers in `invocation` to
    // argue.
    unsafe {
        asm!(
            "mov r14, rsp",
            "syscall",
            "mov rsp, r14",
            in("rdx") call,
            inlateout("rdi") badge,
            inlateout("rsi") information,
            inlateout("r10") first,
            inlateout("r8") second,
            inlateout("r9") third,
            inlateout("r15") fourth,
            lateout("rcx") _,
            lateout("r11") _,
            lateout("r14") _,
        );
    }
    Message { badge, info: MessageInfo::from_word(information), words: [first, second, third, fourth] }
}

const NOTHING: MessageInfo = MessageInfo::new(0, 0, 0);

/// Sends to an endpoint or object and waits for the answer.
#[must_use]
pub fn call(capability: u64, info: MessageInfo, words: [u64; 4]) -> Message {
    enter(number::Call, capability, info, words)
}

/// Sends to an endpoint, waiting until somebody receives. Returns no reply.
pub fn send(capability: u64, info: MessageInfo, words: [u64; 4]) {
    enter(number::Send, capability, info, words);
}

/// Signals a notification. Never blocks.
pub fn signal(notification: u64) {
    enter(number::Send, notification, NOTHING, [0; 4]);
}

/// Waits for a message on an endpoint or a signal on a notification.
#[must_use]
pub fn receive(capability: u64) -> Message {
    enter(number::Recv, capability, NOTHING, [0; 4])
}

/// Takes a message or a signal that is there already. The badge is 0 if there is none.
#[must_use]
pub fn poll(capability: u64) -> Message {
    enter(number::NBRecv, capability, NOTHING, [0; 4])
}

/// Gives up the processor to threads of the same priority.
pub fn yield_now() {
    enter(number::Yield, 0, NOTHING, [0; 4]);
}

/// Prints one byte on the kernel's console.
pub fn debug_put_char(byte: u8) {
    enter(number::DebugPutChar, u64::from(byte), NOTHING, [0; 4]);
}

/// What kind of capability is in a slot, as the kernel's number for it. It is 0 for an empty slot, and for a
/// slot that does not exist.
#[must_use]
pub fn debug_identify(capability: u64) -> u64 {
    enter(number::DebugCapIdentify, capability, NOTHING, [0; 4]).badge
}
