//! What every client of the test systems has: its four regions, its channel to central, and the scenario.

use core::fmt::Arguments;

use ferry_client::Regions;
use ferry_harness::{Actor, Buffer, Holdings, Overreach, SCENARIO_MAGIC, SCENARIOS, Scenario, Stage};
use ferry_layout::{InRegion, OutRegion};
use runtime::{Channel, Region};

/// The regions and the channel of this client.
pub(crate) struct Platform {
    from_client: Region,
    to_client: Region,
    tx: Region,
    rx: Region,
    central: Channel,
}

impl Platform {
    /// The regions and the channel that the system description has set.
    pub(crate) fn of_this_domain() -> Self {
        Self {
            from_client: runtime::region!(ferry_out).expect("ferry_out"),
            to_client: runtime::region!(ferry_in).expect("ferry_in"),
            tx: runtime::region!(ferry_tx).expect("ferry_tx"),
            rx: runtime::region!(ferry_rx).expect("ferry_rx"),
            central: runtime::channel!(ferry_central).expect("ferry_central"),
        }
    }

    /// An actor on this platform.
    pub(crate) fn actor(&self) -> Actor<'_> {
        let from_client = self.from_client.shared::<OutRegion>().expect("ferry_out has its size");
        let to_client = self.to_client.shared::<InRegion>().expect("ferry_in has its size");
        // SAFETY: this is the client's transmit buffer, mapped read-write; no reference to it exists.
        let tx = unsafe { Buffer::new(self.tx) };
        // SAFETY: this is the client's receive buffer, mapped read-write in the test systems; no reference to
        // it exists.
        let rx = unsafe { Buffer::new(self.rx) };
        // SAFETY: the region is mapped read-write; `out` is a reference to atomics only.
        let raw_out = unsafe { Buffer::new(self.from_client) };
        Actor::new(from_client, to_client, tx, rx, raw_out, self)
    }
}

impl Stage for Platform {
    fn print(&self, line: Arguments<'_>) {
        runtime::println!("{line}");
    }

    fn ring(&self) {
        runtime::notify_above(self.central);
    }

    fn pause(&self) {
        runtime::yield_now();
    }

    fn regions(&self) -> Option<Regions> {
        // SAFETY: these are this client's regions. The actor accesses them only by raw copies, and a script
        // that opens a port leaves the buffers to the port.
        unsafe { Regions::new(Some(self.from_client), Some(self.to_client), Some(self.tx), Some(self.rx)) }
            .ok()
    }

    fn holdings(&self) -> Holdings {
        let mut holdings = Holdings::default();
        // A client has no capabilities to frames.
        probe::walk(0..0, &mut |pointer, holding| holdings.add(pointer, holding));
        holdings
    }

    fn address_spaces(&self) -> u32 {
        u32::from(probe::GIVES_ADDRESS_SPACES)
    }

    fn overreach(&self, how: Overreach) {
        probe::overreach(how);
    }

    fn clock(&self) -> u64 {
        probe::clock()
    }

    fn stack_top(&self) -> Option<usize> {
        probe::STACK_TOP
    }
}

/// The scenario that the image builder put into the region `scenario`.
pub(crate) fn scenario() -> &'static Scenario {
    let region = runtime::region!(ferry_scenario).expect("ferry_scenario");
    // SAFETY: the image builder fills the region, and nothing can write to it.
    let bytes = unsafe { region.constant() };
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(word(0), SCENARIO_MAGIC, "the region scenario is not filled in");
    &SCENARIOS[word(4) as usize]
}
