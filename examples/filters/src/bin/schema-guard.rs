//! The guard of telemetry in CBOR by the table `TELEMETRY`.

#![no_std]
#![no_main]

use ferry_example_filters::schema::TELEMETRY;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(TELEMETRY)
}
