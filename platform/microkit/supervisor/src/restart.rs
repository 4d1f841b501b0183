//! Starts a domain again when it has failed. Its program is what it was at the first start. Everything that
//! it shares with others stays as it is.
//!
//! What is put back: the writable parts of its program (`.data` from a copy that nobody can write, `.bss` as
//! zeros) and its registers. Its stack keeps what is in it, because a program that begins never reads that.
//! Its capabilities stay what they were. Central unmaps by itself what it had left mapped in its window,
//! before its engine runs.
//!
//! The image builder maps the writable parts and the copies into the supervisor, for the domains that may be
//! started again and for no others. It also fills in the two tables.

use core::ptr::from_ref;

use ferry_platform::{Outcome, Restarts};
use sel4::UserContext;
use sel4_microkit::Child;

use crate::domains::LIMIT;

/// How often a domain may be started again, its entry point, and the top of its stack.
#[unsafe(export_name = "ferry_restarts")]
#[unsafe(link_section = ".data")]
static RESTARTS: [[u64; 3]; LIMIT] = [[0; 3]; LIMIT];

/// The writable parts of programs: number of the domain plus 1 (0 is no entry), address and bytes
/// of the part, address and bytes of its initial contents.
#[unsafe(export_name = "ferry_parts")]
#[unsafe(link_section = ".data")]
static PARTS: [[u64; 5]; LIMIT] = [[0; 5]; LIMIT];

/// How often each domain may be started again, and how often it has been.
pub(crate) struct Restarter {
    restarts: [Restarts; LIMIT],
}

impl Restarter {
    pub(crate) fn new() -> Self {
        let limit = |number| entry_of(&RESTARTS, number)[0];
        // The description holds the number in a byte.
        let restarts = |number| Restarts::new(u8::try_from(limit(number)).unwrap_or(u8::MAX));
        Self { restarts: core::array::from_fn(restarts) }
    }

    /// Starts a domain again, if it may be started again. The domain must be suspended.
    pub(crate) fn try_again(&mut self, number: usize) -> sel4::Result<Outcome> {
        let Some(restarts) = self.restarts.get_mut(number) else { return Ok(Outcome::Stays) };
        let outcome = restarts.after_fault();
        if !matches!(outcome, Outcome::Again(_)) {
            return Ok(outcome);
        }
        let [_, entry, stack] = entry_of(&RESTARTS, number);
        for place in 0..LIMIT {
            let [domain, to, bytes, from, initial_bytes] = entry_of(&PARTS, place);
            if domain == number as u64 + 1 {
                restore(to, bytes, from, initial_bytes);
            }
        }
        let mut context = UserContext::default();
        *context.pc_mut() = entry;
        *context.sp_mut() = stack;
        Child::new(number).tcb().tcb_write_all_registers(true, &mut context)?;
        Ok(outcome)
    }
}

/// Reads an entry of a table as what the image builder has written, and not as the constant in the source.
fn entry_of<const WORDS: usize>(table: &'static [[u64; WORDS]; LIMIT], place: usize) -> [u64; WORDS] {
    // SAFETY: a reference is valid for reads, and the place is bounded. The read is volatile, because the
    // compiler knows only the constant in the source.
    unsafe { from_ref(&table[place % LIMIT]).read_volatile() }
}

/// Gives a part of a program the contents that it had at the first start.
#[expect(clippy::cast_possible_truncation, reason = "all architectures have 64-bit addresses")]
fn restore(to: u64, bytes: u64, from: u64, initial_bytes: u64) {
    let part = core::ptr::with_exposed_provenance_mut::<u8>(to as usize);
    let initial = core::ptr::with_exposed_provenance::<u8>(from as usize);
    let initial_bytes = initial_bytes.min(bytes) as usize;
    // SAFETY: the image builder maps the part at `to`, read-write, and its initial contents at `from`,
    // read-only. No Rust object lies at either. The domain does not run.
    unsafe { part.copy_from_nonoverlapping(initial, initial_bytes) };
    // SAFETY: as above. This is the rest of the part.
    unsafe { part.wrapping_add(initial_bytes).write_bytes(0, bytes as usize - initial_bytes) };
}
