//! The central protection domain: the engine of `ferry_central` on whatever platform `runtime` is.
//!
//! Everything particular to a system (clients, flows, addresses, capabilities) comes from the configuration
//! region, everything particular to a platform from `runtime`.

#![no_std]
#![no_main]

mod domain;

use domain::Central;
use runtime::Handler;

runtime::protection_domain!(init);

fn init() -> impl Handler {
    Central::new(&domain::configuration(), |hands| hands)
}
