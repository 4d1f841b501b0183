//! The guard of requests of Modbus/TCP by the list `PLANT`.

#![no_std]
#![no_main]

use ferry_example_filters::modbus::PLANT;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(PLANT)
}
