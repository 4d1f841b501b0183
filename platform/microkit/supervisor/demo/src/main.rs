//! The supervisor of demonstrations and tests. Besides what every supervisor does, it prints for protection
//! domains (PDs) and ends the machine when one asks for that.
//!
//! A PD can print what it likes, in lines that begin with its name, and it can end the machine. It cannot
//! stop a single PD other than itself. Because PDs can do so much, no product has this supervisor (`ferry
//! image --product`).

#![no_std]
#![no_main]

mod exit;
mod requests;

use supervisor::Supervisor;

use crate::requests::Served;

sel4_microkit::declare_protection_domain!(init = init);

fn init() -> Supervisor<Served> {
    Supervisor::new(Served::new())
}
