//! The protection domain of the smoke test. This one program plays every part. Its part is patched in as a
//! number, as the image builder patches channels. `tests/boot.rs` lists the parts with the lines it expects
//! from each.
#![no_std]
#![no_main]

use runtime::{Channel, ChannelSet, Frame, Handler, Region, println};

runtime::protection_domain!(init);

const PAGE: usize = 4096;
/// Where the test grants a region to a domain with a window, and the region's first capability.
const HOME: u64 = 0x10_0000_0000;
const FIRST_FRAME: u64 = 128;
/// Ticks that the prober waits for, so that everybody else has finished.
const TICKS: u32 = 3;

enum Part {
    Prober { peer: Channel, ticker: Channel, ticks: u32 },
    Peer,
}

fn init() -> Part {
    match runtime::channel!(smoke_part).map(Channel::number) {
        Some(0) => prober(),
        Some(1) => Part::Peer,
        Some(2) => ticker(),
        Some(3) => write_through_read_only_capability(),
        Some(4) => touch_after_unmapping(),
        Some(5) => overflow_the_stack(4),
        Some(6) => write_own_code(),
        Some(7) => execute_nothing(),
        Some(8) => read_input(),
        Some(9) => write_read_only_region(),
        Some(10) => divide_by_zero(),
        other => panic!("no part {other:?}"),
    }
}

impl Handler for Part {
    fn notified(&mut self, channels: ChannelSet) {
        match self {
            Self::Prober { peer, ticker, ticks } => {
                if channels.contains(*peer) {
                    println!("smoke: the peer answered");
                }
                if channels.contains(*ticker) {
                    *ticks += 1;
                    println!("smoke: tick {ticks}");
                    if *ticks == TICKS {
                        runtime::exit(0);
                    }
                }
            }
            Self::Peer => {
                let word = read(region_address(region()));
                println!("smoke: the peer was notified and reads {word:#x}");
                runtime::notify(channel(0));
            }
        }
    }
}

/// Maps, reads, writes and unmaps the frames of another domain's region, then notifies that domain.
fn prober() -> Part {
    let mut window = runtime::window().expect("the window was never taken");
    assert!(runtime::window().is_none(), "the window is there once");
    let first = frame(0, true);
    window.map(first).expect("the first frame maps");
    assert!(window.map(first).is_err(), "nothing is mapped over a frame");
    println!("smoke: the prober reads {:#x}", read(first.address));
    write(first.address, 0xfe11);
    window.unmap(first.capability);
    // The other frame at the same address: neither mapping nor unmapping leaves anything behind.
    let second = Frame { address: first.address, ..frame(1, false) };
    window.map(second).expect("the second frame maps where the first was");
    println!("smoke: the prober reads {:#x}", read(second.address));
    window.unmap(second.capability);
    let part = Part::Prober { peer: channel(0), ticker: channel(1), ticks: 0 };
    runtime::notify(channel(0));
    part
}

fn ticker() -> ! {
    loop {
        runtime::wait_for_period();
        runtime::notify(channel(0));
    }
}

fn write_through_read_only_capability() -> ! {
    let mut window = runtime::window().expect("the window was never taken");
    window.map(frame(0, true)).expect("a read-only capability maps, read-only");
    println!("smoke: the intruder reads {:#x}", read(HOME));
    write(HOME, 1);
    panic!("wrote through a read-only capability");
}

fn touch_after_unmapping() -> ! {
    let mut window = runtime::window().expect("the window was never taken");
    window.map(frame(0, false)).expect("the frame maps");
    window.unmap(FIRST_FRAME);
    let word = read(HOME);
    panic!("read {word:#x} after unmapping");
}

#[expect(unconditional_recursion, reason = "the guard page ends it")]
fn overflow_the_stack(depth: u64) -> ! {
    let page = core::hint::black_box([depth; PAGE / 8]);
    overflow_the_stack(page[7] + 1)
}

fn write_own_code() -> ! {
    write(init as *const () as u64, 0);
    panic!("wrote its own code");
}

fn execute_nothing() -> ! {
    // SAFETY: none; the access faults, and the test is that the fault is reported.
    let nothing: extern "C" fn() -> ! = unsafe { core::mem::transmute(0x1000_usize) };
    nothing()
}

fn divide_by_zero() -> ! {
    // SAFETY: the exception ends this protection domain.
    unsafe { core::arch::asm!("xor edx, edx", "xor eax, eax", "div edx", out("eax") _, out("edx") _) };
    panic!("divided by zero");
}

fn write_read_only_region() -> ! {
    let address = region_address(region());
    println!("smoke: the region holds {:#x}", read(address));
    write(address, 1);
    panic!("wrote a read-only region");
}

/// Sums the first word of every page of a large region; the test knows the sum.
fn read_input() -> ! {
    let region = region();
    let pages = region.bytes() / PAGE;
    let sum =
        (0..pages).map(|page| read(region_address(region) + (page * PAGE) as u64)).fold(0, u64::wrapping_add);
    println!("smoke: {pages} pages with the sum {sum:#x}");
    runtime::exit(7)
}

fn frame(number: u64, writable: bool) -> Frame {
    let address = HOME + number * PAGE as u64;
    Frame { capability: FIRST_FRAME + number, address, bits: 12, writable }
}

fn channel(number: usize) -> Channel {
    Channel::new(number).expect("a small number")
}

/// The only call of the macro, because it defines symbols.
fn region() -> Region {
    runtime::region!(smoke_region).expect("the region is mapped")
}

fn region_address(region: Region) -> u64 {
    region.base().addr().get() as u64
}

fn usize_of(address: u64) -> usize {
    usize::try_from(address).expect("x86-64 alone: a usize has 64 bits")
}

fn read(address: u64) -> u64 {
    let place = core::ptr::with_exposed_provenance::<u64>(usize_of(address));
    // SAFETY: the address is mapped memory that holds no Rust object, or it faults and the fault is what is
    // tested.
    unsafe { place.read_volatile() }
}

fn write(address: u64, word: u64) {
    let place = core::ptr::with_exposed_provenance_mut::<u64>(usize_of(address));
    // SAFETY: as in `read`.
    unsafe { place.write_volatile(word) }
}
