//! Central and its clients inside one host process: for tests, fuzzing and benchmarks.
//!
//! The engine and the client library are the real ones, and the pages between them are real memory. Only the
//! machine is simulated. [`SimulatedMachine`] keeps the window as a set of mappings and judges strictly. It
//! panics on everything that a kernel would refuse, fault on, or silently do wrong: a frame that is mapped
//! twice or unmapped twice, a copy that touches a page which is not mapped, a write through a transmit
//! buffer's mapping, a byte outside any buffer.
//!
//! Everything that a testbed allocates lives as long as the process, because client and engine hold it by
//! `'static` references, as protection domains do. Only a caller that can promise that nothing uses it any
//! more may call [`Testbed::free`].

mod machine;
mod memory;
#[doc(hidden)]
pub mod runtime;
mod snapshot;
#[doc(hidden)]
pub mod stage;
mod topology;

pub use machine::{Action, SimulatedMachine};
pub use memory::Memory;
pub use snapshot::{Base, Snapshot};
pub use topology::{Topology, buffer_bytes};

use ferry_central::{ClientSet, Engine, Ports};
use ferry_client::{Doorbell, Opening, Port, ReceiveMemory, Regions, TransmitMemory};
use ferry_layout::config::Config;
use ferry_layout::geometry::{IN_BYTES, OUT_BYTES};
use ferry_layout::{AuditLog, DomainId, InRegion, OutRegion};
use ferry_platform::Shared;

use zerocopy::IntoBytes;

/// A central with its clients.
pub struct Testbed {
    /// The engine under test.
    pub engine: Box<Engine>,
    /// The machine that maps, copies and signals for it.
    pub machine: SimulatedMachine,
    /// The memory of each client, by number.
    pub clients: Vec<ClientMemory>,
    /// The region of the audit log, if there is one.
    pub audit: Option<Memory>,
    configuration: Vec<u64>,
}

/// The four regions of one client.
#[derive(Clone, Copy)]
pub struct ClientMemory {
    /// `<client>_out`.
    pub from_client: &'static OutRegion,
    /// `<client>_in`.
    pub to_client: &'static InRegion,
    /// `<client>_tx`.
    pub transmit: Memory,
    /// `<client>_rx`.
    pub receive: Memory,
}

/// A doorbell that does nothing: a test decides by itself when central runs.
#[derive(Clone, Copy, Default)]
pub struct Silent;

impl Doorbell for Silent {
    fn ring(&mut self) {}
}

impl Testbed {
    /// A system of this topology, configured and not yet run.
    ///
    /// # Panics
    /// If the topology is not one that a configuration can describe.
    #[must_use]
    pub fn new(topology: &Topology) -> Self {
        let clients: Vec<ClientMemory> = topology
            .clients
            .iter()
            .map(|bytes| ClientMemory {
                from_client: page(OUT_BYTES),
                to_client: page(IN_BYTES),
                transmit: Memory::new(*bytes),
                receive: Memory::new(*bytes),
            })
            .collect();
        let buffers = clients.iter().map(|client| (client.transmit, client.receive)).collect();
        let machine = SimulatedMachine::new(buffers, topology.frame_bits);
        let audit = (topology.audit_bytes != 0).then(|| Memory::new(topology.audit_bytes));
        let configuration = topology.encode();
        let mut bed = Self { engine: boxed_engine(), machine, clients, audit, configuration };
        bed.configure();
        bed
    }

    fn configure(&mut self) {
        let config =
            Config::parse(self.configuration.as_bytes()).expect("the topology makes a valid configuration");
        if let Some(log) = self.audit_log() {
            self.engine.keep_audit(log);
        }
        let mut pages = self.clients.iter();
        self.engine.configure(&config, |_| {
            pages.next().map(|client| Ports { from_client: client.from_client, to_client: client.to_client })
        });
    }

    /// The audit log, if there is one.
    #[must_use]
    pub fn audit_log(&self) -> Option<AuditLog<'static>> {
        self.audit?.region()?.audit_log()
    }

    /// Replaces central by a new one. The old one may have been stopped anywhere. Nothing is mapped for the
    /// new one, and it has only the pages that the old one wrote.
    pub fn restart(&mut self) {
        self.stop();
        self.configure();
    }

    /// Takes central and its mappings away. Until [`restart`](Self::restart) there is no central to run.
    pub fn stop(&mut self) {
        self.machine.revoke();
        renew(&mut self.engine);
    }

    /// Gives all memory back. It is for tests that build thousands of systems. All other tests leave the
    /// memory to the end of the process.
    ///
    /// # Safety
    /// Nothing of this system is used any more: no port, no buffer, no copy of a [`ClientMemory`].
    pub unsafe fn free(self) {
        if let Some(memory) = self.audit {
            // SAFETY: made by `Memory::new` in `Testbed::new`; the rest is the caller's promise.
            unsafe { memory.free() };
        }
        for client in self.clients {
            for memory in [
                Memory::of(client.from_client),
                Memory::of(client.to_client),
                client.transmit,
                client.receive,
            ] {
                // SAFETY: all four were made by `Memory::new` in `Testbed::new`; the rest is the caller's
                // promise.
                unsafe { memory.free() };
            }
        }
    }

    /// Runs central once, as if every client had signalled.
    pub fn run(&mut self) {
        self.engine.run(&mut self.machine, ClientSet::first(self.clients.len()), false);
    }

    /// Runs central once, as if one client had signalled.
    pub fn run_for(&mut self, client: u16) {
        let mut woken = ClientSet::EMPTY;
        woken.insert(id(client));
        self.engine.run(&mut self.machine, woken, false);
    }

    /// Runs central once at a tick, as if no client had signalled.
    pub fn tick(&mut self) {
        self.engine.run(&mut self.machine, ClientSet::EMPTY, true);
    }

    /// Runs central once, as if the announcers of the partitions of these clients had signalled.
    pub fn announce(&mut self, clients: &[u16]) {
        let announced = set_of(clients);
        self.engine.serve_partition(&mut self.machine, announced);
        self.engine.run(&mut self.machine, announced, false);
    }

    /// The regions of a client, as its program gets them. Call it only once for each start of the client.
    ///
    /// # Panics
    /// If there is no such client.
    #[must_use]
    pub fn regions(&self, client: u16) -> Regions {
        let memory = self.clients[usize::from(client)];
        // SAFETY: the memory is leaked, so it is never freed under the client. A test calls this once for
        // each start of the client, and nothing else makes buffers of the memory.
        let regions = unsafe {
            Regions::new(
                Memory::of(memory.from_client).region(),
                Memory::of(memory.to_client).region(),
                memory.transmit.region(),
                memory.receive.region(),
            )
        };
        regions.expect("the regions are as large as the structures")
    }

    /// Opens the port of a client and runs central so that it lets the client in.
    ///
    /// # Panics
    /// If central does not let the client in.
    pub fn open(&mut self, client: u16) -> (Port<Silent>, TransmitMemory, ReceiveMemory) {
        let (opening, transmit, receive) = Port::open(self.regions(client), Silent);
        self.run_for(client);
        (
            opening.poll().unwrap_or_else(|_: Opening<Silent>| panic!("client {client} was not let in")),
            transmit,
            receive,
        )
    }
}

/// A structure of shared memory, all zeros.
fn page<T: Shared>(bytes: usize) -> &'static T {
    let region = Memory::new(bytes).region().expect("memory has an address");
    region.shared().expect("the regions are as large as the structures")
}

/// The number of a client.
///
/// # Panics
/// If no system can have it.
#[must_use]
pub fn id(client: u16) -> DomainId {
    DomainId::new(client).expect("a client number")
}

/// A set of clients.
///
/// # Panics
/// If no system can have one of them.
#[must_use]
pub fn set_of(clients: &[u16]) -> ClientSet {
    let mut set = ClientSet::EMPTY;
    for client in clients {
        set.insert(id(*client));
    }
    set
}

/// An engine on the heap that was never on the stack. It has a megabyte, and a debug build would copy it
/// several times.
fn boxed_engine() -> Box<Engine> {
    let mut engine = Box::<Engine>::new_uninit();
    // SAFETY: the pointer is valid for one engine.
    unsafe { write_new(engine.as_mut_ptr()) };
    // SAFETY: just written.
    unsafe { engine.assume_init() }
}

/// Makes an engine a new one. It stays at its place.
fn renew(engine: &mut Engine) {
    // SAFETY: the reference is valid for one engine.
    unsafe { write_new(engine) };
}

/// Writes a new engine to `engine`.
///
/// # Safety
/// It is valid for one engine.
unsafe fn write_new(engine: *mut Engine) {
    static NEW: Engine = Engine::new();
    // SAFETY: both pointers are valid for one engine. An engine owns nothing outside of itself, so its bits
    // may be copied, and what was there before need not be dropped.
    unsafe { core::ptr::copy_nonoverlapping(&raw const NEW, engine, 1) };
}
