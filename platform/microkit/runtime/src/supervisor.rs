//! What a PD asks of the supervisor, and how: the protocol between this crate and `ferry-supervisor`.
//!
//! A request is a protected procedure call. Its label says what is wanted, the message holds the details. The
//! image builder connects the PD and stores the channel's number in the symbol `ferry_supervisor`; a PD whose
//! program has that symbol is one that uses this runtime.

use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicBool, Ordering};

use sel4_microkit::{Channel, MessageInfo, with_msg_bytes_mut};

/// Label: print. The first word is the number of bytes, the bytes follow.
pub const PRINT: u64 = 1;
/// Label: end the machine. The first word is the exit code.
pub const EXIT: u64 = 2;
/// Label: stop this PD, because it has failed. As after a fault, it is started again if the description says
/// so.
pub const STOP: u64 = 3;

/// Bytes of a message word.
pub const WORD: usize = size_of::<u64>();

/// The channel to the supervisor, if the image has one.
fn channel() -> Option<Channel> {
    ferry_platform::patched_symbol!("ferry_supervisor").map(Channel::new)
}

/// Prints text. Without a supervisor that prints, the kernel prints it, which it does in its debug
/// configuration only. Then this PD puts its name before each line itself.
pub(crate) fn print(text: &[u8]) {
    let Some(channel) = channel() else {
        return print_alone(text);
    };
    let Some(length) = NonZeroUsize::new(text.len()) else { return };
    with_msg_bytes_mut(|message| {
        message[..WORD].copy_from_slice(&length.get().to_le_bytes());
        message[WORD..WORD + length.get()].copy_from_slice(text);
    });
    channel.pp_call(MessageInfo::new(PRINT, 1 + length.get().div_ceil(WORD)));
}

/// Prints text by the kernel.
fn print_alone(text: &[u8]) {
    /// Whether a line has begun and not ended.
    static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
    let name = sel4_microkit::pd_name().unwrap_or("?");
    let mut put = |text: &[u8]| {
        for chunk in text.utf8_chunks() {
            sel4_microkit::debug_print!("{}", chunk.valid());
        }
    };
    let has_begun = ferry_platform::lines(name, text, HAS_BEGUN.load(Ordering::Relaxed), &mut put);
    HAS_BEGUN.store(has_begun, Ordering::Relaxed);
}

/// Ends the machine. QEMU's exit status is `code`, and on x86-64 `code * 2 + 1`. For demonstrations and
/// tests.
///
/// # Panics
/// If the image has no supervisor, or the board cannot be ended by a program, so that only this PD ends.
pub fn exit(code: u8) -> ! {
    if let Some(channel) = channel() {
        sel4_microkit::set_mr(0, u64::from(code));
        channel.pp_call(MessageInfo::new(EXIT, 1));
    }
    panic!("this image cannot end the machine; build it with `ferry image`, for a board that can be ended")
}

/// Asks the supervisor to stop this PD, which has failed. Returns only if there is no supervisor, or if it is
/// not the parent of this PD.
pub(crate) fn stop() {
    if let Some(channel) = channel() {
        channel.pp_call(MessageInfo::new(STOP, 0));
    }
}
