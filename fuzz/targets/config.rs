//! The configuration blob: whatever the bytes, `Config::parse` returns, and an engine can be configured with
//! everything that it accepts.

#![no_main]

mod words;

use ferry_central::{ClientSet, Engine, FrameRef, Machine, MapFailed};
use ferry_layout::DomainId;
use ferry_layout::config::Config;
use libfuzzer_sys::fuzz_target;
use zerocopy::IntoBytes;

/// A machine that must never be called, because no client of this engine has shared pages.
struct Untouched;

impl Machine for Untouched {
    fn map(&mut self, frame: FrameRef) -> Result<(), MapFailed> {
        panic!("{frame:?} is mapped although no client has pages")
    }
    fn unmap(&mut self, frame: FrameRef) {
        panic!("{frame:?} is unmapped although no client has pages")
    }
    fn copy(&mut self, _: u64, _: u64, _: u32) {
        panic!("a copy although no client has pages")
    }
    fn poll_tick(&mut self) -> bool {
        false
    }
    fn signal(&mut self, client: DomainId) {
        panic!("{client:?} is signalled although no client has pages")
    }
}

fuzz_target!(|bytes: &[u8]| {
    let words = words::words(bytes);
    let blob = &words.as_bytes()[..bytes.len()];
    match Config::parse(blob) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(config) => {
            for (id, client) in config.clients() {
                assert!(!client.name.as_str().is_empty(), "{id:?}");
                assert!(client.transmit.frame_bytes().is_power_of_two());
            }
            let mut engine = Box::new(Engine::new());
            engine.configure(&config, |_| None);
            engine.run(&mut Untouched, ClientSet::first(32), true);
        }
    }
});
