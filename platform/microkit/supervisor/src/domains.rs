//! The protection domains by number: names, and which of them are the supervisor's children. The image
//! builder fills in both symbols.

use core::ptr::from_ref;

/// Numbers are below this: Microkit's limit for channels and for children.
pub const LIMIT: usize = ferry_platform::Channel::LIMIT as usize;
/// Bytes of a name, the rest zero: Microkit's limit.
const NAME: usize = 64;

#[unsafe(export_name = "ferry_domains")]
#[unsafe(link_section = ".data")]
static NAMES: [[u8; NAME]; LIMIT] = [[0; NAME]; LIMIT];

/// Bit `n` is set if domain `n` is a child.
#[unsafe(export_name = "ferry_children")]
#[unsafe(link_section = ".data")]
static CHILDREN: u64 = 0;

/// The name of a domain.
pub struct Name([u8; NAME]);

impl Name {
    /// The name of the domain with this number; `?` if it has none.
    #[must_use]
    pub fn of(number: usize) -> Self {
        let Some(name) = NAMES.get(number) else { return Self([0; NAME]) };
        // SAFETY: a reference is valid for reads. The read is volatile, because the image builder has changed
        // the value.
        Self(unsafe { from_ref(name).read_volatile() })
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self.0.split(|byte| *byte == 0).next() {
            None | Some([]) => "?",
            Some(name) => str::from_utf8(name).unwrap_or("?"),
        }
    }
}

/// Whether a domain is the supervisor's child, so that the supervisor can suspend it.
pub(crate) fn is_child(number: usize) -> bool {
    // SAFETY: a reference is valid for reads. The read is volatile, because the image builder has changed the
    // value.
    let children = unsafe { from_ref(&CHILDREN).read_volatile() };
    number < LIMIT && children & (1 << number) != 0
}
