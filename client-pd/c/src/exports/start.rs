//! The functions of `ferry.h` by which a client starts, publishes, sleeps, and knows its peers.

#![expect(
    clippy::missing_safety_doc,
    reason = "the comments are those of the header; `exports` has the contract"
)]

use core::ffi::{CStr, c_char};

use ferry_client::{Directory, DomainId, Port, Regions};
use ferry_platform::Region;

use super::{directory, with_port, write_peer};
use crate::client::{Beginning, Client};
use crate::global::CLIENT;
use crate::names;
use crate::platform::{self, Given};
use crate::types::{ABI_VERSION, Peer, Result};

/// The ABI version of the library. Its name has the version too, so that a program which was compiled with
/// the header of another version does not link.
#[unsafe(no_mangle)]
pub static ferry_abi_1: u32 = ABI_VERSION;

const _: () =
    assert!(ABI_VERSION == 1, "the name of the symbol above has the version, and so has the header");

/// Starts the client of this program: `ferry_init` calls it.
///
/// Finds the four regions and the channel to central by the symbols that the system description sets, splits
/// `_tx` into buffers of `tx_bytes` bytes and `_rx` into buffers of `rx_bytes` bytes, and asks central to let
/// the client in. With a size of 0 there are no buffers of that kind.
///
/// From: init, once.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_start(abi: u32, tx_bytes: u32, rx_bytes: u32) -> Result {
    match CLIENT.with(|client| client.may_start(abi)) {
        None => return Result::FerryBusy,
        Some(Result::FerryOk) => {}
        Some(refused) => return refused,
    }
    let Given { regions: [from_client, to_client, transmit, receive], central } =
        platform::ferry_platform_given();
    let bytes = [transmit, receive].map(|region| region.map_or(0, Region::bytes));
    // SAFETY: these are this program's regions, mapped as the system description says. The library takes them
    // only here, and only while no client was started.
    let regions = unsafe { Regions::new(from_client, to_client, transmit, receive) };
    let beginning = Beginning { abi, sizes: [tx_bytes, rx_bytes], regions, central, bytes };
    CLIENT.with(|client| client.start(beginning)).unwrap_or(Result::FerryBusy)
}

/// True once: when central has let the client in, so that it can post and send. Call it first at each
/// wake-up, and at the end of init, because central may have let the client in already.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_begins() -> bool {
    CLIENT.with(Client::begins).unwrap_or(false)
}

/// The last thing at each wake-up: publishes what the program has enqueued, signals central if that is
/// necessary, and asks for a signal. True if something came meanwhile: then look again, and call it again.
/// False: return from notified. What the program has left in its queues does not make it true for ever.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_rest() -> bool {
    CLIENT.with(Client::rest).unwrap_or(false)
}

/// Publishes what the program has enqueued, and signals central if that is necessary. `ferry_rest` does it
/// too.
#[unsafe(no_mangle)]
pub extern "C" fn ferry_flush() {
    with_port(Port::flush);
}

/// Publishes what the program has enqueued, without a signal: central finds it at the next tick.
#[unsafe(no_mangle)]
pub extern "C" fn ferry_publish() {
    with_port(|port| {
        port.publish();
    });
}

/// Tells central that the program looks at its queues by itself, and needs no signals until `ferry_rest`.
#[unsafe(no_mangle)]
pub extern "C" fn ferry_disarm() {
    with_port(Port::disarm);
}

/// Number of this client; 0 before it is let in.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_number() -> u16 {
    directory().map_or(0, Directory::domain)
}

/// How central regards this client: 0 closed, 1 open, 2 in quarantine.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn ferry_standing() -> u32 {
    directory().map_or(0, |directory| names::standing(directory.standing()))
}

/// The client with this name, which ends with a zero byte.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_peer_by_name(name: *const c_char, peer: *mut Peer) -> Result {
    if name.is_null() {
        return Result::FerryNull;
    }
    // SAFETY: the caller passes a string with a zero byte at its end.
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: the caller's pointer, handed on.
    unsafe {
        write_peer(peer, |directory| {
            directory.peers().find(|peer| peer.name.as_str().as_bytes() == name.to_bytes())
        })
    }
}

/// The client of this number.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_peer_by_number(number: u16, peer: *mut Peer) -> Result {
    // SAFETY: the caller's pointer, handed on.
    unsafe { write_peer(peer, |directory| directory.peer_of(DomainId::new(number)?)) }
}

/// The client at this position of the list of peers, from 0. `FERRY_NO_PEER` at the end of the list.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ferry_peer_at(position: u32, peer: *mut Peer) -> Result {
    // SAFETY: the caller's pointer, handed on.
    unsafe { write_peer(peer, |directory| directory.peers().nth(position as usize)) }
}
