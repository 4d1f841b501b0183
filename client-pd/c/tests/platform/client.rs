//! The platform of a client beside a peer in Rust: the regions and the central of
//! [`ferry_testbed::runtime`]. Nothing that the client prints is looked at.

use ferry_client_c::Given;
use ferry_platform::Channel;
use ferry_testbed::runtime;

#[unsafe(no_mangle)]
extern "Rust" fn ferry_platform_given() -> Given {
    let regions = ["ferry_out", "ferry_in", "ferry_tx", "ferry_rx"].map(runtime::region_of);
    Given { regions, central: Channel::new(0) }
}

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_signal(_: u32) {
    runtime::notify_above(Channel::new(0).unwrap());
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ferry_platform_print(_: *const u8, _: usize) {}
