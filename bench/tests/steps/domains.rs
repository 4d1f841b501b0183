//! The protection domains of the trials. Code whose instructions are known exactly is written in assembly,
//! because the compiler decides about all other code.

use crate::trials;
use runtime::{Channel, ChannelSet, Handler};
use std::arch::{asm, global_asm};
use std::hint::black_box;

/// All domains, in the order of their counts and with the priorities of `bench/system.xml`.
pub(crate) const NAMES: [&str; 3] = ["central", "producer", "consumer"];
pub(crate) const PRIORITIES: [u8; 3] = [200, 100, 110];

/// Repetitions of the loops. Each repetition has two instructions.
pub(crate) const ROUNDS: u32 = 1000;
/// Bytes that one repeated instruction copies.
const BYTES: usize = 300;
/// Instructions in a section whose instructions are known: the loop, the copy, the two that load the numbers
/// of repetitions, and the call that ends the section.
pub(crate) const KNOWN: u64 = 2 * ROUNDS as u64 + 1 + 2 + 1;
/// Number of sections whose instructions are known. Sections in which all domains take part follow.
pub(crate) const KNOWN_SECTIONS: usize = 3;
pub(crate) const RELAYS: usize = 3;

/// Central's channel to the consumer.
const TO_CONSUMER: usize = 2;

global_asm!(
    ".globl bench_begin, bench_end",
    ".type bench_begin, @function",
    ".type bench_end, @function",
    "bench_begin: nop",
    "ret",
    ".size bench_begin, . - bench_begin",
    "bench_end: nop",
    "ret",
    ".size bench_end, . - bench_end",
);

unsafe extern "C" {
    safe fn bench_begin();
    safe fn bench_end();
}

/// A handler that calls this function at each wake-up.
struct At<F>(F);

impl<F: FnMut(ChannelSet)> Handler for At<F> {
    fn notified(&mut self, channels: ChannelSet) {
        self.0(channels);
    }
}

/// Acts as this domain for the rest of the process's life.
pub(crate) fn play(trial: &str, domain: &str) -> ! {
    match domain {
        "central" => runtime::run(|| {
            let consumer = Channel::new(TO_CONSUMER).expect("a channel has a small number");
            At(move |_| {
                count_down();
                runtime::notify(consumer);
            })
        }),
        "consumer" => runtime::run(|| At(|_| count_down())),
        _ => {
            let producer = trials::producer_of(trial);
            runtime::run(move || {
                producer();
                At(|_| {})
            })
        }
    }
}

/// All sections. Central and the consumer do their part when they are signalled, before the producer executes
/// its next instruction.
pub(crate) fn sections() {
    for _ in 0..KNOWN_SECTIONS {
        known();
    }
    let central = runtime::channel!(ferry_central).expect("the description names the channel");
    for _ in 0..RELAYS {
        bench_begin();
        runtime::notify(central);
        bench_end();
    }
    runtime::exit(0);
}

pub(crate) fn fault_in_a_section() {
    bench_begin();
    // SAFETY: this faults, which is the purpose of the trial. It would not be sound if it returned.
    unsafe { black_box(std::ptr::without_provenance_mut::<u8>(0x10)).write_volatile(1) };
    bench_end();
}

pub(crate) fn end_before_a_section() {
    runtime::println!("there is nothing to count");
    runtime::exit(7);
}

pub(crate) fn wait() {}

pub(crate) fn spin_in_a_section() {
    bench_begin();
    loop {
        black_box(0);
    }
}

fn known() {
    let (source, mut target) = ([7_u8; BYTES], [0_u8; BYTES]);
    // SAFETY: copies from one array to another of the same size, and calls functions that do nothing.
    unsafe {
        asm!(
            "call {begin}",
            "mov ecx, {rounds}",
            "2: dec ecx",
            "jnz 2b",
            "mov ecx, {bytes}",
            "rep movsb",
            "call {end}",
            begin = sym bench_begin,
            end = sym bench_end,
            rounds = const ROUNDS,
            bytes = const BYTES,
            inout("rsi") source.as_ptr() => _,
            inout("rdi") target.as_mut_ptr() => _,
            clobber_abi("C"),
        );
    }
    assert_eq!(source, target);
}

fn count_down() {
    // SAFETY: the loop only counts a register down to 0.
    unsafe { asm!("2: dec {n:e}", "jnz 2b", n = inout(reg) ROUNDS => _, options(nostack, nomem)) };
}
