//! Uses every name of the crate `runtime`, with its type. It is compiled with the other programs of the
//! tests, for every platform, so a platform that lacks a name, or has another type for it, does not build. No
//! test system runs it. `docs/runtime.md` describes the names; `ferry/tests/runtime.rs` compares the two.

#![no_std]
#![no_main]

use core::ptr::NonNull;

runtime::protection_domain!(init);

struct Names;

impl runtime::Handler for Names {
    fn notified(&mut self, channels: runtime::ChannelSet) {
        let _: u64 = channels.bits();
        for channel in channels {
            let channel: runtime::Channel = channel;
            let _: (u8, bool) = (channel.number(), channels.contains(channel));
        }
    }
}

fn init() -> impl runtime::Handler {
    let _: Option<runtime::Channel> = runtime::channel!(ferry_central);
    let region: Option<runtime::Region> = runtime::region!(ferry_out);
    let _: Option<(NonNull<u8>, usize)> = region.map(|region| (region.base(), region.bytes()));
    runtime::print!("{}", 1);
    runtime::println!("{}", 2);
    runtime::println!();

    let _: [fn(runtime::Channel); 3] = [runtime::notify, runtime::notify_above, runtime::notify_on_return];
    let _: fn() -> runtime::ChannelSet = runtime::poll;
    let _: [fn(); 2] = [runtime::yield_now, runtime::wait_for_period];
    let _: fn(u8) -> ! = runtime::exit;
    let _: unsafe fn(*const u8, *mut u8, usize) = runtime::copy_opaque;

    let _: fn() -> Option<runtime::Window> = runtime::window;
    let _: fn(&mut runtime::Window, runtime::Frame) -> Result<(), runtime::MapError> = runtime::Window::map;
    let _: fn(&mut runtime::Window, u64) = runtime::Window::unmap;
    Names
}
