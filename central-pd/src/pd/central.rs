//! The central protection domain: the engine of `ferry_central` on the platform of the crate `runtime`.
//!
//! Everything particular to a system (clients, flows, addresses, capabilities) comes from the configuration
//! region. Everything particular to a platform comes from `runtime`.

#![no_std]
#![no_main]

mod domain;

use domain::Central;
use runtime::Handler;

runtime::protection_domain!(init);

fn init() -> impl Handler {
    Central::new(&domain::configuration(), |hands| hands)
}
