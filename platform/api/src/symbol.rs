//! Words that the image builder fills in (`setvar_vaddr`, `setvar_size`, `setvar_id` of the system
//! description).

/// Declares the words that the image builder patches, and returns the [`Region`](crate::Region) that they
/// describe. `None` if the system description does not set them.
///
/// `region!(ferry_tx)` defines the symbols `ferry_tx` (address) and `ferry_tx_size` (bytes). A symbol can be
/// defined only once, so a program can use the macro once for each name.
#[macro_export]
macro_rules! region {
    ($name:ident) => {{
        let address = $crate::patched_symbol!(stringify!($name));
        let bytes = $crate::patched_symbol!(concat!(stringify!($name), "_size"));
        match (address, bytes) {
            // SAFETY: the image builder sets both words to the region that it maps. Nothing else is linked at
            // these addresses: `ferry check` and the Microkit tool verify that.
            (Some(address), Some(bytes)) => unsafe { $crate::Region::at(address, bytes) },
            _ => None,
        }
    }};
}

/// Declares the word that the image builder patches with a channel's number, and returns the
/// [`Channel`](crate::Channel). `None` if the system description does not set the word.
#[macro_export]
macro_rules! channel {
    ($name:ident) => {
        $crate::patched_symbol!(stringify!($name)).and_then($crate::Channel::new)
    };
}

/// Declares one patched word under the given symbol and reads it.
#[doc(hidden)]
#[macro_export]
macro_rules! patched_symbol {
    ($symbol:expr) => {{
        // The word is in `.data`, because the image builder can only patch what the ELF file has bytes for.
        #[unsafe(link_section = ".data")]
        #[unsafe(export_name = $symbol)]
        static WORD: usize = usize::MAX;
        $crate::patched_word(&WORD)
    }};
}

/// Reads a word that the image builder may have patched. `None` if it has not.
#[must_use]
pub fn patched_word(word: &'static usize) -> Option<usize> {
    // SAFETY: a reference is valid for reads. The read is volatile, because the compiler could otherwise use
    // the initial value instead of the one that the image builder has patched in.
    let value = unsafe { core::ptr::from_ref(word).read_volatile() };
    (value != usize::MAX).then_some(value)
}
