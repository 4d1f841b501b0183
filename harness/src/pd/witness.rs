//! Central of the test systems: the real engine, with a witness between it and the kernel.
//!
//! The witness prints what the engine asks for. It reads, in every frame that was mapped, the stamp of the
//! frame's owner. It checks when things become visible, and does what the scenario's `witness` says.
//! Otherwise it changes nothing about what the engine does or sees.

#![no_std]
#![no_main]

#[path = "../../../central-pd/src/pd/domain.rs"]
mod domain;
mod watch;

use core::fmt::Arguments;

use domain::{Central, Hands};
use ferry_central::{ClientSet, FrameRef, Machine, MapFailed, Side};
use ferry_harness::{
    Holding, Holdings, Moment, Overreach, Role, SCENARIO_MAGIC, SCENARIOS, Scenario, Stamp, WitnessAct,
};
use ferry_layout::DomainId;
use ferry_layout::config::{BufferRecord, Config};
use runtime::{ChannelSet, Handler};
use watch::Watch;

runtime::protection_domain!(init);

/// Central's channels, as bits: to the ticker, to each client, and the two ends of a channel to itself.
const CHANNELS: u64 = 0b111_1111;
/// One end of the channel to itself.
const OWN_CHANNEL: u8 = 6;

/// The witness: it stands between the engine and the platform.
struct Witness {
    hands: Hands,
    act: WitnessAct,
    watch: Watch,
    /// Mallory plays in this scenario, so it is woken around each call.
    struck: bool,
    last_unmapped: Option<FrameRef>,
    /// Rounds of this run of the engine, and of the longest run so far.
    rounds: u32,
    most_rounds: u32,
    crash: Option<Crash>,
}

/// A fault that is still to happen.
struct Crash {
    moment: Moment,
    /// Maps, copies, unmaps and turns with deliveries so far.
    done: [u32; 4],
    /// An address where nothing is ever mapped.
    nowhere: u64,
}

/// A call of the engine to the machine.
#[derive(Clone, Copy)]
enum Call {
    Map,
    Copy,
    Unmap,
    Deliver,
    Signal,
}

/// Central with its witness, and the configuration for the census.
struct Watched {
    central: Central<Witness>,
    config: Config<'static>,
}

fn init() -> impl Handler {
    let config = domain::configuration();
    let Scenario { witness: act, mallory, .. } = scenario();
    let (act, struck) = (*act, mallory.is_some());
    let restarted = domain::is_restart(&config);
    let moment = match act {
        WitnessAct::Crash(moment) | WitnessAct::Panic(moment) if !restarted => Some(moment),
        WitnessAct::CrashAlways(moment) => Some(moment),
        _ => None,
    };
    // Nothing is ever mapped just past a buffer, because buffers begin at multiples of 2 MiB.
    let behind = |buffer: BufferRecord| buffer.window_address + buffer.bytes;
    let nowhere = config.clients().next().map_or(0, |(_, client)| behind(client.transmit));
    let crash = moment.map(|moment| Crash { moment, done: [0; 4], nowhere });
    if act == WitnessAct::BeforeAnyRequest {
        for (_, client) in config.clients().take(1) {
            read(client.transmit.window_address);
        }
    }
    if act == WitnessAct::Overreach {
        overreach(&config);
    }
    let central = Central::new(&config, |hands| {
        let watch = Watch::new(config);
        let mut witness =
            Witness { hands, act, watch, struck, last_unmapped: None, rounds: 0, most_rounds: 0, crash };
        if restarted {
            runtime::println!("witness: central begins again");
            witness.expect_no_mapping(&config);
        }
        witness
    });
    Watched { central, config }
}

/// The scenario that the image was built for.
fn scenario() -> &'static Scenario {
    let region = runtime::region!(ferry_scenario).expect("ferry_scenario");
    // SAFETY: the image builder fills the region, and nothing can write to it.
    let bytes = unsafe { region.constant() };
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(word(0), SCENARIO_MAGIC, "the region scenario is not filled in");
    &SCENARIOS[word(4) as usize]
}

impl Handler for Watched {
    fn notified(&mut self, channels: ChannelSet) {
        self.central.machine().rounds = 1;
        self.central.notified(channels);
        let witness = self.central.machine();
        witness.count_rounds();
        // Only once each time something was mapped, because asking about every frame takes longer than some
        // ticks.
        let Some(unmapped) = witness.last_unmapped.take() else { return };
        match witness.act {
            WitnessAct::AfterTransfer => read(unmapped.address),
            WitnessAct::Census | WitnessAct::SilentCensus | WitnessAct::Crash(_) | WitnessAct::Panic(_) => {
                self.central.machine().expect_no_mapping(&self.config);
            }
            _ => {}
        }
    }
}

impl Witness {
    /// Asks the kernel about each frame, and prints that no frame of any client is mapped.
    fn expect_no_mapping(&mut self, config: &Config<'_>) {
        assert_eq!(self.census(config), 0, "frames are mapped and central does nothing with them");
        runtime::println!("witness: census of all frames found none mapped");
    }

    /// Counts the mapped frames by asking the kernel. The kernel refuses to map a frame capability that is
    /// mapped already, unless the address is the same.
    fn census(&mut self, config: &Config<'_>) -> u32 {
        let mut mapped = 0;
        for (id, client) in config.clients() {
            let buffers = [
                (Side::Transmit, client.transmit),
                (Side::Receive, client.receive),
                (Side::Snapshot, client.snapshot),
            ];
            for (side, buffer) in buffers {
                for number in 0..u32::try_from(buffer.bytes / buffer.frame_bytes()).unwrap_or(0) {
                    mapped += u32::from(self.is_mapped(id, side, &buffer, number));
                }
            }
        }
        mapped
    }

    fn is_mapped(&mut self, client: DomainId, side: Side, buffer: &BufferRecord, number: u32) -> bool {
        // Nothing is ever mapped just past the buffer: buffers begin at multiples of 2 MiB, and those of the
        // test systems are smaller.
        let frame = FrameRef {
            client,
            side,
            number,
            capability: buffer.first_capability + u64::from(number),
            address: buffer.window_address + buffer.bytes,
            bits: buffer.frame_bits,
        };
        let free = self.hands.map(frame).is_ok();
        if free {
            self.hands.unmap(frame);
        }
        !free
    }

    /// Prints how many rounds this run has taken, if no run so far took as many.
    fn count_rounds(&mut self) {
        if let WitnessAct::Rounds(most) = self.act
            && self.rounds > self.most_rounds
        {
            self.most_rounds = self.rounds;
            runtime::println!("witness: {} rounds", self.rounds);
            assert!(self.rounds <= most, "more rounds than {most}");
        }
    }

    /// Makes central fault if the moment has come.
    fn fault_if_due(&mut self, call: Call) {
        let Some(crash) = &mut self.crash else { return };
        let [maps, copies, unmaps, deliveries] = &mut crash.done;
        let now = match call {
            Call::Map => {
                *maps += 1;
                Moment::Mapped(*maps)
            }
            Call::Copy => {
                *copies += 1;
                Moment::Copied(*copies)
            }
            Call::Unmap => {
                *unmaps += 1;
                Moment::Unmapped(*unmaps)
            }
            Call::Deliver => {
                *deliveries += 1;
                Moment::Delivered(*deliveries)
            }
            Call::Signal => match crash.moment {
                // The first signal after at least this many copies.
                Moment::Signalling(least) => Moment::Signalling(least.min(*copies)),
                _ => return,
            },
        };
        if crash.moment == now {
            assert!(!matches!(self.act, WitnessAct::Panic(_)), "planted at {now:?}");
            let nowhere = crash.nowhere;
            runtime::println!("witness: central faults");
            read(nowhere);
        }
    }

    /// Prints a call, if the scenario has a trace.
    fn trace(&self, call: Arguments<'_>) {
        if !matches!(self.act, WitnessAct::SilentCensus | WitnessAct::Silent) {
            runtime::println!("witness: {call}");
        }
    }

    /// Lets mallory strike, if it plays in this scenario.
    fn let_strike(&mut self) {
        if self.struck
            && let Some(mallory) = DomainId::new(Role::Mallory.number())
        {
            self.hands.signal(mallory);
        }
    }
}

impl Machine for Witness {
    #[expect(clippy::cast_possible_truncation, reason = "all platforms have addresses of 64 bits")]
    fn map(&mut self, frame: FrameRef) -> Result<(), MapFailed> {
        self.watch.map();
        if self.act == WitnessAct::WriteByCapability && frame.side == Side::Transmit {
            // The same frame through the same capability, but mapped for writing.
            self.hands.map(FrameRef { side: Side::Receive, ..frame })?;
            self.trace(format_args!("map {} to write", Name(frame)));
            write(frame.address);
            panic!("central writes through the capability of a transmit frame");
        }
        self.hands.map(frame)?;
        let place = core::ptr::with_exposed_provenance::<u64>(frame.address as usize + Stamp::OFFSET);
        // SAFETY: the frame has just been mapped at its address, and the stamp's word lies in it.
        let word = unsafe { place.read_volatile() };
        match Stamp::of(word) {
            Some(stamp) => self.trace(format_args!("map {} holds {stamp}", Name(frame))),
            None => self.trace(format_args!("map {} holds no stamp", Name(frame))),
        }
        self.let_strike();
        self.fault_if_due(Call::Map);
        Ok(())
    }

    fn unmap(&mut self, frame: FrameRef) {
        self.watch.unmap();
        self.hands.unmap(frame);
        self.last_unmapped = Some(frame);
        self.trace(format_args!("unmap {}", Name(frame)));
        self.let_strike();
        self.fault_if_due(Call::Unmap);
    }

    fn copy(&mut self, from: u64, to: u64, length: u32) {
        if self.act == WitnessAct::WriteToSource {
            write(from);
        }
        self.let_strike();
        self.watch.copy(from, to);
        self.hands.copy(from, to, length);
        self.trace(format_args!("copy {length}"));
        self.let_strike();
        self.fault_if_due(Call::Copy);
    }

    fn signal(&mut self, client: DomainId) {
        self.fault_if_due(Call::Signal);
        self.trace(format_args!("signal {}", name(client)));
        self.hands.signal(client);
        self.let_strike();
    }

    fn signal_and_sleep(&mut self, client: DomainId) {
        self.fault_if_due(Call::Signal);
        self.trace(format_args!("signal {}", name(client)));
        self.hands.signal_and_sleep(client);
    }

    fn woken(&mut self) -> ClientSet {
        self.hands.woken()
    }

    fn announced(&mut self) -> ClientSet {
        self.hands.announced()
    }

    fn signal_audit_reader(&mut self) {
        self.hands.signal_audit_reader();
    }

    fn poll_tick(&mut self) -> bool {
        self.rounds += 1;
        self.hands.poll_tick()
    }

    fn delivered(&mut self) {
        self.fault_if_due(Call::Deliver);
    }
}

/// A frame, as the trace names it.
struct Name(FrameRef);

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let side = if self.0.side == Side::Transmit { "tx" } else { "rx" };
        write!(f, "{} {side} {}", name(self.0.client), self.0.number)
    }
}

fn name(client: DomainId) -> &'static str {
    Role::ALL.get(client.index()).map_or("nobody", |role| role.name())
}

/// Writes a byte of the window where a transmit frame is mapped. The scenario expects this to fault.
#[expect(clippy::cast_possible_truncation, reason = "all platforms have addresses of 64 bits")]
fn write(address: u64) {
    let place = core::ptr::with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: no Rust object lies in a client's frame. The write faults, and this protection domain goes no
    // further.
    unsafe { place.write_volatile(0) };
}

/// Walks over central's `CSpace`. It must hold the frames of its clients' buffers, the address space of its
/// window, its channels, and nothing else. Then waits on the channel whose other end would wake central
/// itself, if it could wait there. The kernel lets no PD wait on a notification that is another's, whatever
/// the rights.
fn overreach(config: &Config<'_>) {
    let (mut first, mut end) = (u64::MAX, 0);
    for (_, client) in config.clients() {
        for buffer in client.buffers() {
            first = first.min(buffer.first_capability);
            end = end.max(buffer.first_capability + buffer.bytes / buffer.frame_bytes());
        }
    }
    let mut found = Holdings::default();
    probe::walk(first..end, &mut |pointer, holding| {
        let is_frame = (first..end).contains(&pointer);
        assert!(is_frame == (holding == Holding::Frame), "slot {pointer:#x} holds {holding:?}");
        found.add(pointer, holding);
    });
    assert_eq!(found.stranger, None, "central holds a capability that the description does not give");
    assert_eq!((found.address_spaces, found.frames), (1, end - first));
    assert_eq!(found.channels, CHANNELS, "central signals through its channels");
    runtime::println!("witness: central holds its channels, its window and the frames of its clients");
    probe::overreach(Overreach::WaitByChannel(OWN_CHANNEL));
    panic!("central waits where it may only signal");
}

/// Reads a byte of the window. If nothing is mapped there, it faults, and the scenario expects that.
#[expect(clippy::cast_possible_truncation, reason = "all platforms have addresses of 64 bits")]
fn read(address: u64) {
    let place = core::ptr::with_exposed_provenance::<u8>(address as usize);
    // SAFETY: if something is mapped there, it is a client's frame, which may be read. If not, the kernel
    // stops this protection domain and reports the fault.
    let byte = unsafe { place.read_volatile() };
    runtime::println!("witness: read {address:#x} gave {byte}");
}
