//! How wake-ups reach a PD's handler, and how a PD signals: the calls of the kernel behind
//! [`Handler`](ferry_platform::Handler).
//!
//! The event loop does what `sel4-microkit`'s does for a PD without callers and without children. A PD of
//! this runtime has neither. The loop and the system calls are our own, because every message that travels
//! alone pays for them. Those of the library also decode calls and faults, and move message registers that a
//! signal does not have.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use ferry_platform::{Channel, ChannelSet, Handler};
use sel4::sys::syscall_id;

/// Slot in which Microkit puts what a PD waits for.
const INPUT: u64 = 1;
/// Slot of the capability with which a PD could answer a caller.
const REPLY: u64 = 4;
/// Slot of what a passive PD signals when it has begun, so that it gives up its scheduling context.
const MONITOR: u64 = 5;
/// Slot of the notification of channel 0. Those of the other channels follow.
const FIRST_NOTIFICATION: u64 = 10;
/// No capability: the null slot.
const NONE: u64 = 0;

/// Bits of a badge that comes from a call or from a child's fault. Such a badge is not a set of
/// channels.
const CALL_OR_FAULT: u64 = 1 << 63 | 1 << 62;

unsafe extern "C" {
    /// Bit `n`: this PD may signal through channel `n`. Part of `sel4-microkit`; the image builder fills it
    /// in.
    static microkit_notifications: usize;
}

/// The capability of the signal that goes out with the next wait, or [`NONE`].
static DEFERRED: AtomicU64 = AtomicU64::new(NONE);

/// Runs the PD.
pub(crate) fn run(mut handler: impl Handler) -> ! {
    if sel4_microkit::pd_is_passive() {
        defer_signal(MONITOR);
    }
    loop {
        let badge = wait();
        if badge & CALL_OR_FAULT != 0 {
            not_a_signal(badge);
        }
        handler.notified(ChannelSet::from_bits(badge));
    }
}

/// Waits for signals. A deferred signal is sent by the same system call.
#[inline]
fn wait() -> u64 {
    let deferred = DEFERRED.load(Ordering::Relaxed);
    if deferred == NONE {
        call(syscall_id::Recv, INPUT, NONE)
    } else {
        DEFERRED.store(NONE, Ordering::Relaxed);
        call(syscall_id::NBSendRecv, INPUT, deferred)
    }
}

/// Takes the signals that are pending, without waiting.
#[inline]
pub(crate) fn poll() -> ChannelSet {
    let badge = call(syscall_id::NBWait, INPUT, NONE);
    if badge & CALL_OR_FAULT != 0 {
        not_a_signal(badge);
    }
    ChannelSet::from_bits(badge)
}

/// Signals at once.
#[inline]
pub(crate) fn signal(channel: Channel) {
    call(syscall_id::Send, notification(channel), NONE);
}

/// Signals a receiver of higher priority, which then runs at once. The effect for the receiver is the same.
/// `NBSend` skips a fast path of the kernel that fails for receivers of higher priority, after some eighty
/// instructions.
#[inline]
pub(crate) fn signal_above(channel: Channel) {
    call(syscall_id::NBSend, notification(channel), NONE);
}

/// Defers a signal to the next wait. A signal that was deferred before goes out now. A PD has one thread, so
/// nothing happens in between.
#[inline]
pub(crate) fn defer(channel: Channel) {
    defer_signal(notification(channel));
}

#[inline]
fn defer_signal(capability: u64) {
    let earlier = DEFERRED.load(Ordering::Relaxed);
    if earlier != NONE {
        call(syscall_id::Send, earlier, NONE);
    }
    DEFERRED.store(capability, Ordering::Relaxed);
}

/// Makes a system call without a message. It signals or waits through `capability`, or waits through it and
/// signals `deferred`. Returns the badge of what was waited for.
#[inline]
fn call(number: i32, capability: u64, deferred: u64) -> u64 {
    let badge;
    // SAFETY: the registers are those of seL4's system calls, and every register that the kernel changes is
    // named. None of these calls touches this thread's memory, but others run meanwhile, so there is no
    // `nomem`.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc #0",
            in("x7") i64::from(number),
            inout("x0") capability => badge,
            inout("x1") 0_u64 => _,
            out("x2") _, out("x3") _, out("x4") _, out("x5") _,
            in("x6") REPLY,
            in("x8") deferred,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv64")]
    unsafe {
        asm!(
            "ecall",
            in("a7") i64::from(number),
            inout("a0") capability => badge,
            inout("a1") 0_u64 => _,
            out("a2") _, out("a3") _, out("a4") _, out("a5") _,
            in("a6") REPLY,
            in("t0") deferred,
            options(nostack),
        );
    }
    // SAFETY: as above. The kernel also changes the stack pointer, which cannot be an operand. `r14` saves
    // it.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "mov r14, rsp",
            "syscall",
            "mov rsp, r14",
            in("rdx") i64::from(number),
            inout("rdi") capability => badge,
            inout("rsi") 0_u64 => _,
            out("r8") _, out("r9") _, out("r10") _, out("r15") _,
            in("r12") REPLY,
            in("r13") deferred,
            lateout("rcx") _, lateout("r11") _, lateout("r14") _,
            options(nostack),
        );
    }
    badge
}

/// The capability to signal through a channel.
///
/// # Panics
/// If the system description gives none.
#[inline]
fn notification(channel: Channel) -> u64 {
    // SAFETY: the word is valid for reads, and nobody writes it while the program runs. The read is volatile,
    // because the compiler must not take the initial value for the one that is there then.
    let granted = unsafe { (&raw const microkit_notifications).read_volatile() };
    if granted >> channel.number() & 1 == 0 {
        no_notification(channel);
    }
    FIRST_NOTIFICATION + u64::from(channel.number())
}

#[cold]
#[inline(never)]
fn no_notification(channel: Channel) -> ! {
    panic!(
        "channel {} is not one to notify; give its <end> notify=\"true\" in the system description",
        channel.number()
    )
}

#[cold]
#[inline(never)]
fn not_a_signal(badge: u64) -> ! {
    panic!(
        "a call or a child's fault (badge {badge:#x}) came to a domain that serves none; \
         let no <end> have pp=\"true\" towards it in the system description, and no protection domain be its child"
    )
}
