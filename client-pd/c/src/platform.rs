//! What the platform does for a C program. On classic and hosted `glue/emulated.rs` has these functions, over
//! the platform's `runtime`. On Microkit it is `platform/microkit/c/glue.c`, over the SDK's `libmicrokit`.

use ferry_client::{Channel, Doorbell};
use ferry_platform::Region;

/// What the system description gives to a client, as far as it does.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// `_out`, `_in`, `_tx`, `_rx`.
    pub regions: [Option<Region>; 4],
    /// The channel to central.
    pub central: Option<Channel>,
}

unsafe extern "Rust" {
    /// What the system description gives to this program, by the symbols of a client. A program that never
    /// calls `ferry_init` never calls this, so it has none of these symbols, and the image builder says so.
    pub(crate) safe fn ferry_platform_given() -> Given;
}

unsafe extern "C" {
    /// Signals the other end of a channel, a PD of higher priority.
    safe fn ferry_platform_signal(channel: u32);
    /// Prints bytes. The platform puts the name of the PD before each line.
    ///
    /// # Safety
    /// `text` points to `bytes` bytes.
    pub(crate) fn ferry_platform_print(text: *const u8, bytes: usize);
    /// Ends the system.
    pub(crate) safe fn ferry_platform_exit(code: u8) -> !;
    /// Lets other PDs of the same priority run.
    pub(crate) safe fn ferry_platform_yield();
}

/// Signals central.
pub(crate) struct Bell(pub(crate) Channel);

impl Doorbell for Bell {
    fn ring(&mut self) {
        ferry_platform_signal(self.0.number().into());
    }
}
