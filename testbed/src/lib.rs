//! Central and its clients inside one host process: for tests, fuzzing and benchmarks.
//!
//! The engine is the real one, the client library is the real one, the pages between them are real memory. Only the
//! machine is played: [`PlayedMachine`] keeps the window as a set of mappings and is a strict judge. It panics on what a
//! kernel would refuse, fault on, or silently do wrong: a frame mapped twice or unmapped twice, a copy that touches a
//! page which is not mapped, a write through a transmit buffer's mapping, a byte outside any buffer.
//!
//! Everything a testbed allocates lives as long as the process, because client and engine hold it by `'static`
//! references, as protection domains do.

mod machine;
mod memory;
mod topology;

pub use machine::{Action, PlayedMachine};
pub use memory::Memory;
pub use topology::{Topology, buffer_bytes};

use ferry_central::{ClientSet, Engine, Ports};
use ferry_client::{Doorbell, Opening, Port, ReceiveMemory, Regions, TransmitMemory};
use ferry_layout::config::Config;
use ferry_layout::{DomainId, InRegion, OutRegion};

/// A central with its clients.
pub struct Testbed {
    /// The engine under test.
    pub engine: Box<Engine>,
    /// What it maps, copies and signals.
    pub machine: PlayedMachine,
    /// The memory of each client, by number.
    pub clients: Vec<ClientMemory>,
}

/// The four regions of one client.
#[derive(Clone, Copy)]
pub struct ClientMemory {
    /// `<client>_out`.
    pub out: &'static OutRegion,
    /// `<client>_in`.
    pub into: &'static InRegion,
    /// `<client>_tx`.
    pub transmit: Memory,
    /// `<client>_rx`.
    pub receive: Memory,
}

/// A doorbell that nobody hears: a test decides by itself when central runs.
#[derive(Clone, Copy, Default)]
pub struct Silent;

impl Doorbell for Silent {
    fn ring(&mut self) {}
}

impl Testbed {
    /// A system of this shape, configured and not yet run.
    ///
    /// # Panics
    /// If the topology is not one that a configuration can describe.
    #[must_use]
    pub fn new(topology: &Topology) -> Self {
        let clients: Vec<ClientMemory> = topology
            .clients
            .iter()
            .map(|bytes| ClientMemory {
                out: Box::leak(Box::default()),
                into: Box::leak(Box::default()),
                transmit: Memory::new(*bytes),
                receive: Memory::new(*bytes),
            })
            .collect();
        let blob = topology.encode();
        let config = Config::parse(&blob).expect("the topology makes a valid configuration");
        let mut engine = boxed_engine();
        let mut pages = clients.iter();
        engine
            .configure(&config, |_| pages.next().map(|client| Ports { out: client.out, into: client.into }));
        let machine =
            PlayedMachine::new(clients.iter().map(|client| (client.transmit, client.receive)).collect());
        Self { engine, machine, clients }
    }

    /// Runs central once, woken by everybody.
    pub fn run(&mut self) {
        self.engine.run(&mut self.machine, ClientSet::first(self.clients.len()), false);
    }

    /// Runs central once, woken by one client.
    pub fn run_for(&mut self, client: u16) {
        let mut woken = ClientSet::EMPTY;
        woken.insert(id(client));
        self.engine.run(&mut self.machine, woken, false);
    }

    /// Lets a period pass, with nobody having signalled.
    pub fn tick(&mut self) {
        self.engine.run(&mut self.machine, ClientSet::EMPTY, true);
    }

    /// The regions of a client, as its program gets them. To be asked for once for each life of the client.
    ///
    /// # Panics
    /// If there is no such client.
    #[must_use]
    pub fn regions(&self, client: u16) -> Regions {
        let memory = self.clients[usize::from(client)];
        // SAFETY: the memory is leaked, so it is there for good; a test asks once for each life of the client, and
        // nothing else makes buffers of it.
        let regions = unsafe {
            Regions::new(
                Memory::of(memory.out).region(),
                Memory::of(memory.into).region(),
                memory.transmit.region(),
                memory.receive.region(),
            )
        };
        regions.expect("the regions are as large as the structures")
    }

    /// Opens the port of a client, with central running as often as that needs.
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

/// The number of a client.
///
/// # Panics
/// If no system can have it.
#[must_use]
pub fn id(client: u16) -> DomainId {
    DomainId::new(client).expect("a client number")
}

/// An engine on the heap that was never on the stack.
fn boxed_engine() -> Box<Engine> {
    // The engine is half a megabyte; a thread's stack may hold it, a debug build's copies of it may not.
    std::thread::Builder::new()
        .stack_size(16 << 20)
        .spawn(|| Box::new(Engine::new()))
        .and_then(|thread| thread.join().map_err(|_| std::io::Error::other("the engine was not built")))
        .expect("a thread to build the engine on")
}
