//! `system.xml` and `flows.toml`. Whatever they say, the result is a list of mistakes that can be printed, or
//! a description that can be placed. If it is placed, central accepts the configuration and no two grants
//! overlap.
//!
//! The input is the text of `flows.toml`, a zero byte, and the text of `system.xml`.

#![no_main]

mod words;

use ferry_description::{Description, Source, sequential};
use ferry_layout::config::Config;
use libfuzzer_sys::fuzz_target;
use zerocopy::IntoBytes;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (flows, system) = text.split_once('\0').unwrap_or(("", text));
    let description =
        Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[]);
    let description = match description {
        Err(mistakes) => {
            assert!(mistakes.iter().next().is_some(), "refused without a reason");
            assert!(!mistakes.render(false).is_empty());
            return;
        }
        Ok(description) => description,
    };
    let placement = description.place(&mut sequential(128));
    let words = words::words(&placement.config);
    let config = Config::parse(words.as_bytes());
    let config = config.expect("central accepts what the builder made");
    assert_eq!(config.clients().count(), description.clients.len());
    for (number, grant) in placement.grants.iter().enumerate() {
        let frames = |grant: &ferry_description::Grant| {
            grant.first_capability..grant.first_capability + grant.buffer.frames()
        };
        for other in &placement.grants[..number] {
            assert_ne!(grant.region, other.region, "a region granted twice");
            let (one, two) = (frames(grant), frames(other));
            assert!(one.end <= two.start || two.end <= one.start, "capabilities used twice");
            let addresses = |grant: &ferry_description::Grant| {
                grant.window_address..grant.window_address + grant.buffer.bytes
            };
            let (one, two) = (addresses(grant), addresses(other));
            assert!(one.end <= two.start || two.end <= one.start, "window addresses that overlap");
        }
    }
    assert!(!description.report().to_string().is_empty());
});
