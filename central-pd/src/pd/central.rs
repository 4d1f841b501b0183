//! The central protection domain: the engine of `ferry_central` on whatever platform `runtime` is.
//!
//! Everything that is particular to a system (clients, flows, addresses, capabilities) comes from the configuration
//! region. Everything that is particular to a platform comes from `runtime`. What is left is this page.

#![no_std]
#![no_main]

use ferry_central::{ClientSet, Engine, FrameRef, Machine, MapFailed, Ports, Side};
use ferry_layout::config::{ClientRecord, Config};
use ferry_layout::geometry::{IN_BYTES, MAX_CLIENTS, OUT_BYTES};
use ferry_layout::{DomainId, InRegion, OutRegion};
use runtime::{Channel, ChannelSet, Frame, Handler, Region, Window};
use static_cell::ConstStaticCell;

runtime::protection_domain!(init);

static ENGINE: ConstStaticCell<Engine> = ConstStaticCell::new(Engine::new());

/// Central's handler. Without an engine (the configuration was unusable, as `init` has said) it does nothing.
struct Central {
    engine: Option<&'static mut Engine>,
    hands: Hands,
    tick: Option<Channel>,
}

fn init() -> impl Handler {
    let mut central =
        Central { engine: None, hands: Hands { window: runtime::window(), channels: [None; MAX_CLIENTS] }, tick: None };
    let Some(region) = runtime::region!(ferry_config) else {
        runtime::println!("ferry: error domain=central the system description does not set ferry_config");
        return central;
    };
    // SAFETY: the system description maps the configuration read-only, and nobody else writes it.
    let bytes = unsafe { region.constant() };
    match Config::parse(bytes) {
        Ok(config) => central.take_over(&config),
        Err(error) => runtime::println!("ferry: error domain=central {error}"),
    }
    central
}

impl Central {
    fn take_over(&mut self, config: &Config<'_>) {
        let engine = ENGINE.take();
        engine.configure(config, |client| {
            let ports = ports(client);
            if ports.is_none() {
                runtime::println!("ferry: error domain=central the pages of {:?} are not usable", client.name);
            }
            ports
        });
        for (id, client) in config.clients() {
            self.hands.channels[id.index()] = Channel::new(client.channel as usize);
        }
        self.tick = config.tick_channel().and_then(|number| Channel::new(number as usize));
        // Clients that started first have published already; their signals are pending, but a look costs little.
        engine.run(&mut self.hands, ClientSet::first(MAX_CLIENTS), false);
        self.engine = Some(engine);
    }
}

impl Handler for Central {
    fn notified(&mut self, channels: ChannelSet) {
        let mut woken = ClientSet::EMPTY;
        for (number, channel) in (0..).zip(self.hands.channels) {
            if channel.is_some_and(|channel| channels.contains(channel))
                && let Some(client) = DomainId::new(number)
            {
                woken.insert(client);
            }
        }
        let tick = self.tick.is_some_and(|tick| channels.contains(tick));
        if let Some(engine) = &mut self.engine {
            engine.run(&mut self.hands, woken, tick);
        }
    }
}

/// The pages that central shares with a client, at the addresses that the configuration gives.
fn ports(client: &ClientRecord) -> Option<Ports> {
    // SAFETY: the image builder wrote the address at which it maps `<client>_out`, of that size, into central.
    let out = unsafe { Region::at(usize::try_from(client.out_address).ok()?, OUT_BYTES) }?;
    // SAFETY: likewise for `<client>_in`.
    let into = unsafe { Region::at(usize::try_from(client.in_address).ok()?, IN_BYTES) }?;
    Some(Ports { out: out.shared::<OutRegion>().ok()?, into: into.shared::<InRegion>().ok()? })
}

/// The engine's hands on this platform.
struct Hands {
    window: Option<Window>,
    channels: [Option<Channel>; MAX_CLIENTS],
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
            runtime::println!("ferry: error domain=central map of {:#x} failed: {error:?}", frame.address);
            MapFailed
        })
    }

    fn unmap(&mut self, frame: FrameRef) {
        if let Some(window) = &mut self.window {
            window.unmap(frame.capability);
        }
    }

    fn copy(&mut self, from: u64, to: u64, length: u32) {
        // SAFETY: the engine copies between ranges of the window whose frames it has mapped, the source's transmit
        // buffer and the target's receive buffer, which are different memory; no Rust reference goes there.
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
}
