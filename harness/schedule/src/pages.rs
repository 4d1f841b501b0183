//! What a client without the client library has: its pages, and its channel to central.

use ferry_layout::{InRegion, OutRegion};
use runtime::Channel;

/// The pages of this client.
pub(crate) struct Pages {
    pub(crate) out: &'static OutRegion,
    pub(crate) to_client: &'static InRegion,
    central: Channel,
}

impl Pages {
    /// Those that the system description has set.
    pub(crate) fn of_this_domain() -> Self {
        let out = runtime::region!(ferry_out).expect("the description maps it");
        let to_client = runtime::region!(ferry_in).expect("the description maps it");
        // The description sets these symbols in every client. What is in the memory does not matter here.
        let buffers = [runtime::region!(ferry_tx), runtime::region!(ferry_rx)];
        assert!(buffers.iter().all(Option::is_some), "the description maps them");
        Self {
            out: out.shared().expect("it has the size of the ABI"),
            to_client: to_client.shared().expect("it has the size of the ABI"),
            central: runtime::channel!(ferry_central).expect("the description sets it"),
        }
    }

    /// Signals central.
    pub(crate) fn ring(&self) {
        runtime::notify(self.central);
    }

    /// Asks for the next epoch, and does not wait for it.
    pub(crate) fn enter(&self) {
        self.out.reset();
        self.out.wake.arm();
        self.out.ask_for_epoch(self.to_client.epoch.observe().wrapping_add(1));
        self.ring();
    }
}
