//! Central as a protection domain: the engine, the machine it works on, and the channels that wake it.
//!
//! This is apart from the entry point (`central.rs`), so that the test harness can put its witness between
//! engine and machine and leave everything else as it is.

use ferry_central::{ClientSet, Engine, FrameRef, Machine, MapFailed, Ports, Side};
use ferry_layout::config::{AuditPlace, ClientRecord, Config};
use ferry_layout::geometry::{IN_BYTES, MAX_CLIENTS, OUT_BYTES};
use ferry_layout::{AuditLog, DomainId, InRegion, OutRegion};
use runtime::{Channel, ChannelSet, Frame, Handler, Region, Window};
use static_cell::ConstStaticCell;

static ENGINE: ConstStaticCell<Engine> = ConstStaticCell::new(Engine::new());

/// Central's handler.
pub(crate) struct Central<M> {
    engine: &'static mut Engine,
    machine: M,
    clients: ClientsOfChannels,
    clock: Clock,
}

/// The client at the other end of each channel, or the clients that its other end announces. Empty if there
/// are none.
#[derive(Clone, Copy)]
struct ClientsOfChannels([ClientSet; CHANNELS]);

impl ClientsOfChannels {
    /// The clients that have signalled on these channels.
    fn of(&self, channels: ChannelSet) -> ClientSet {
        let mut clients = ClientSet::EMPTY;
        for channel in channels {
            clients = clients.union(self.0[usize::from(channel.number())]);
        }
        clients
    }
}

/// The channels to those that signal by time: the ticker, and the announcers of partitions.
#[derive(Clone, Copy)]
struct Clock {
    all: ChannelSet,
    tick: ChannelSet,
}

impl Clock {
    fn of(config: &Config<'_>) -> Self {
        let only = |number: u32| ChannelSet::from_bits(1_u64.checked_shl(number).unwrap_or(0));
        let tick = config.tick_channel().map(only).unwrap_or_default();
        let announcers = config.clients().map(|(_, client)| only(client.announcer).bits());
        let all = ChannelSet::from_bits(announcers.fold(tick.bits(), |all, announcer| all | announcer));
        Self { all, tick }
    }

    /// Whether there is a tick, and the clients that were announced.
    #[inline]
    fn read(self, channels: ChannelSet, clients: &ClientsOfChannels) -> (bool, ClientSet) {
        let signalled = channels.bits() & self.all.bits();
        if signalled == 0 {
            return (false, ClientSet::EMPTY);
        }
        self.read_closely(signalled, clients)
    }

    #[cold]
    #[inline(never)]
    fn read_closely(self, signalled: u64, clients: &ClientsOfChannels) -> (bool, ClientSet) {
        let announcers = ChannelSet::from_bits(signalled & !self.tick.bits());
        (signalled & self.tick.bits() != 0, clients.of(announcers))
    }
}

/// Numbers that a channel can have.
const CHANNELS: usize = Channel::LIMIT as usize;

/// The configuration, from the region that the image builder fills. Without a usable one central cannot serve
/// anybody, so this panics.
pub(crate) fn configuration() -> Config<'static> {
    let Some(region) = runtime::region!(ferry_config) else {
        panic!("the system description does not set ferry_config");
    };
    // SAFETY: the system description maps the configuration read-only, and nobody else writes it.
    let bytes = unsafe { region.constant() };
    match Config::parse(bytes) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    }
}

impl<M: Machine> Central<M> {
    /// Configures central and serves the clients that started before it. If another central ran before, its
    /// mappings are removed before the engine runs, so the window is empty then.
    pub(crate) fn new(config: &Config<'_>, machine: impl FnOnce(Hands) -> M) -> Self {
        let mut channels = [None; MAX_CLIENTS];
        let mut clients = ClientsOfChannels([ClientSet::EMPTY; CHANNELS]);
        for (id, client) in config.clients() {
            let channel = Channel::new(client.channel as usize);
            channels[id.index()] = channel;
            if let Some(channel) = channel {
                clients.0[usize::from(channel.number())].insert(id);
            }
            if let Some(announcer) = Channel::new(client.announcer as usize) {
                clients.0[usize::from(announcer.number())].insert(id);
            }
        }
        let clock = Clock::of(config);
        let audit = config.audit().and_then(|audit| Channel::new(audit.channel as usize));
        let window = runtime::window();
        let (woken, announced) = (ClientSet::EMPTY, ClientSet::EMPTY);
        let mut hands = Hands { window, channels, clients, clock, woken, announced, audit };
        if is_restart(config) {
            hands.clear_window(config);
        }
        let engine = ENGINE.take();
        if let Some(audit) = config.audit() {
            match audit_log(audit) {
                Some(log) => engine.keep_audit(log),
                // To go on without the log would be to leave out what somebody relies on.
                None => panic!("the audit log has no usable region"),
            }
        }
        engine.configure(config, |client| {
            let ports = ports(client);
            if ports.is_none() {
                runtime::println!("ferry: error the pages of {:?} are not usable", client.name);
            }
            ports
        });
        let mut machine = machine(hands);
        // Clients that started earlier have published already. Their signals are pending, but a look costs
        // little.
        engine.run(&mut machine, ClientSet::first(MAX_CLIENTS), false);
        Self { engine, machine, clients, clock }
    }

    /// The machine that the engine works on.
    #[allow(dead_code, reason = "for the harness's witness; central itself needs only the handler")]
    pub(crate) fn machine(&mut self) -> &mut M {
        &mut self.machine
    }
}

impl<M: Machine> Handler for Central<M> {
    fn notified(&mut self, channels: ChannelSet) {
        let woken = self.clients.of(channels);
        let (tick, announced) = self.clock.read(channels, &self.clients);
        if !announced.is_empty() {
            self.engine.serve_partition(&mut self.machine, announced);
        }
        self.engine.run(&mut self.machine, woken, tick);
    }
}

/// Whether another central has served these clients before. It introduced itself in pages that no client can
/// write.
pub(crate) fn is_restart(config: &Config<'_>) -> bool {
    config.clients().any(|(_, client)| ports(client).is_some_and(|ports| ports.to_client.is_introduced()))
}

/// The pages that central shares with a client, at the addresses that the configuration gives.
pub(crate) fn ports(client: &ClientRecord) -> Option<Ports> {
    // SAFETY: the image builder wrote the address at which it maps `<client>_out`, of that size, into
    // central.
    let from_client = unsafe { Region::at(usize::try_from(client.out_address).ok()?, OUT_BYTES) }?;
    // SAFETY: likewise for `<client>_in`.
    let to_client = unsafe { Region::at(usize::try_from(client.in_address).ok()?, IN_BYTES) }?;
    Some(Ports {
        from_client: from_client.shared::<OutRegion>().ok()?,
        to_client: to_client.shared::<InRegion>().ok()?,
    })
}

/// The audit log, at the address that the configuration gives.
fn audit_log(audit: &AuditPlace) -> Option<AuditLog<'static>> {
    let (address, bytes) = (usize::try_from(audit.address).ok()?, usize::try_from(audit.bytes).ok()?);
    // SAFETY: the image builder wrote the address at which it maps the region, of that size, into central.
    unsafe { Region::at(address, bytes) }?.audit_log()
}

/// The engine's machine on this platform: it maps, copies and signals through `runtime`.
pub(crate) struct Hands {
    window: Option<Window>,
    channels: [Option<Channel>; MAX_CLIENTS],
    clients: ClientsOfChannels,
    clock: Clock,
    /// Clients that were found to have signalled while the engine ran.
    woken: ClientSet,
    /// Clients of the partitions that were found to be announced while the engine ran.
    announced: ClientSet,
    /// To the reader of the audit log.
    audit: Option<Channel>,
}

impl Hands {
    /// Unmaps everything that an earlier central has left mapped, before the engine looks at anything. The
    /// kernel leaves a frame alone that is not mapped.
    fn clear_window(&mut self, config: &Config<'_>) {
        let Some(window) = &mut self.window else { return };
        for (_, client) in config.clients() {
            for buffer in client.buffers() {
                for number in 0..buffer.bytes / buffer.frame_bytes() {
                    window.unmap(buffer.first_capability + number);
                }
            }
        }
    }
}

impl Machine for Hands {
    fn map(&mut self, frame: FrameRef) -> Result<(), MapFailed> {
        let frame = Frame {
            capability: frame.capability,
            address: frame.address,
            bits: frame.bits,
            writable: frame.side == Side::Receive,
        };
        self.window.as_mut().ok_or(MapFailed)?.map(frame).map_err(|error| {
            runtime::println!("ferry: error map of {:#x} failed: {error:?}", frame.address);
            MapFailed
        })
    }

    fn unmap(&mut self, frame: FrameRef) {
        if let Some(window) = &mut self.window {
            window.unmap(frame.capability);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "all platforms have addresses of 64 bits")]
    fn copy(&mut self, from: u64, to: u64, length: u32) {
        // SAFETY: the engine copies between ranges of the window whose frames it has mapped: from a transmit
        // buffer or a guard's snapshot, to the receive buffer of another client. These are different memory.
        // No Rust reference points there.
        unsafe {
            runtime::copy_opaque(
                core::ptr::with_exposed_provenance(from as usize),
                core::ptr::with_exposed_provenance_mut(to as usize),
                length as usize,
            );
        }
    }

    fn signal(&mut self, client: DomainId) {
        if let Some(channel) = self.channels.get(client.index()).copied().flatten() {
            runtime::notify(channel);
        }
    }

    fn signal_audit_reader(&mut self) {
        if let Some(channel) = self.audit {
            runtime::notify(channel);
        }
    }

    fn poll_tick(&mut self) -> bool {
        let signalled = runtime::poll();
        self.woken = self.clients.of(signalled);
        let (tick, announced) = self.clock.read(signalled, &self.clients);
        self.announced = announced;
        tick
    }

    fn announced(&mut self) -> ClientSet {
        core::mem::replace(&mut self.announced, ClientSet::EMPTY)
    }

    fn woken(&mut self) -> ClientSet {
        self.woken
    }

    fn signal_and_sleep(&mut self, client: DomainId) {
        if let Some(channel) = self.channels.get(client.index()).copied().flatten() {
            runtime::notify_on_return(channel);
        }
    }
}
