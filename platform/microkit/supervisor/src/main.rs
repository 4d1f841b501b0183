//! The supervisor of a product: nobody can call it. It reports faults, and starts domains again where the
//! description allows it.

#![no_std]
#![no_main]

use supervisor::{NoRequests, Supervisor};

sel4_microkit::declare_protection_domain!(init = init);

fn init() -> Supervisor<NoRequests> {
    Supervisor::new(NoRequests)
}
