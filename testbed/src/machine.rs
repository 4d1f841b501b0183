//! A simulated machine: it does what the engine asks, checks it, and records it.

use std::collections::HashMap;

use ferry_central::{ClientSet, FrameRef, Machine, MapFailed, Side};
use ferry_layout::DomainId;

use crate::memory::Memory;
use crate::topology::Topology;

/// One call of the engine to the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Map this frame (client, side, number).
    Map(u16, Side, u32),
    /// Unmap this frame.
    Unmap(u16, Side, u32),
    /// Copy this many bytes.
    Copy(u32),
    /// Signal this client.
    Signal(u16),
    /// Signal the reader of the audit log.
    SignalAuditReader,
}

/// The simulated machine.
pub struct SimulatedMachine {
    /// Transmit and receive memory of each client.
    buffers: Vec<(Memory, Memory)>,
    /// Binary logarithm of a frame's size.
    frame_bits: u32,
    /// The mapped frames, by their address in the window.
    mapped: HashMap<u64, FrameRef>,
    /// The calls of the engine, in order. A test may clear them.
    pub actions: Vec<Action>,
    /// Whether `actions` are recorded. A benchmark turns it off.
    pub records: bool,
    /// How many more mappings succeed before mapping fails. It simulates a kernel without memory.
    pub refuse_map_after: Option<u32>,
    /// How many rounds were followed by another one.
    pub rounds: u32,
    /// Called between two rounds. Returns whether a period has passed.
    pub between_rounds: Option<Box<dyn FnMut() -> bool>>,
    /// Called between two rounds that have no tick between them. Returns the clients that have signalled.
    pub woken: Option<Box<dyn FnMut() -> ClientSet>>,
    /// Called between two rounds, if there are partitions. Returns the clients that were announced.
    pub announced: Option<Box<dyn FnMut() -> ClientSet>>,
    /// Called after each action. A test can rewrite memory there, or stop central by unwinding.
    pub interposer: Option<Box<dyn FnMut(Action)>>,
    /// For each signal that central has combined with sleeping, the number of `rounds` until then.
    pub combined: Vec<u32>,
}

impl SimulatedMachine {
    pub(crate) fn new(buffers: Vec<(Memory, Memory)>, frame_bits: u32) -> Self {
        Self {
            buffers,
            frame_bits,
            mapped: HashMap::new(),
            actions: Vec::new(),
            records: true,
            refuse_map_after: None,
            rounds: 0,
            between_rounds: None,
            woken: None,
            announced: None,
            interposer: None,
            combined: Vec::new(),
        }
    }

    /// Removes all mappings, as whoever restarts central must do.
    pub fn revoke(&mut self) {
        self.mapped.clear();
    }

    /// Makes these frames the mapped ones.
    pub(crate) fn set_frames(&mut self, frames: &[FrameRef]) {
        self.mapped.clear();
        self.mapped.extend(frames.iter().map(|frame| (frame.address, *frame)));
    }

    /// Number of frames that are mapped now.
    #[must_use]
    pub fn mapped(&self) -> usize {
        self.mapped.len()
    }

    /// The frames that are mapped now.
    pub fn frames(&self) -> impl Iterator<Item = &FrameRef> {
        self.mapped.values()
    }

    /// Number of frames of one client that are mapped now.
    #[must_use]
    pub fn mapped_of(&self, client: u16) -> usize {
        self.mapped.values().filter(|frame| frame.client.number() == client).count()
    }

    /// How often `client` was signalled since `actions` was cleared.
    #[must_use]
    pub fn signals(&self, client: u16) -> usize {
        self.actions.iter().filter(|action| **action == Action::Signal(client)).count()
    }

    fn record(&mut self, action: Action) {
        if self.records {
            self.actions.push(action);
        }
        if let Some(interposer) = &mut self.interposer {
            interposer(action);
        }
    }

    /// The buffer, and the byte in it, at a window address. It checks first that all pages of the `length`
    /// bytes from there on are mapped.
    fn resolve(&self, address: u64, length: u32, side: Side) -> (Memory, usize) {
        let last = address + u64::from(length) - 1;
        for number in (address >> self.frame_bits)..=(last >> self.frame_bits) {
            let home = number << self.frame_bits;
            let frame = self.mapped.get(&home);
            let frame = frame.unwrap_or_else(|| panic!("copy touches {home:#x}, which is not mapped"));
            assert_eq!(
                frame.side, side,
                "a copy reads transmit buffers and snapshots, and writes receive buffers"
            );
        }
        let client = usize::try_from((address - Topology::window_address(0, Side::Transmit)) >> 32)
            .expect("a small number");
        let (transmit, receive) = self.buffers[client];
        let memory = if side == Side::Transmit { transmit } else { receive };
        let base = Topology::window_address(client, side);
        (memory, usize::try_from(address - base).expect("a place in a buffer"))
    }
}

impl Machine for SimulatedMachine {
    fn map(&mut self, frame: FrameRef) -> Result<(), MapFailed> {
        if let Some(left) = &mut self.refuse_map_after {
            *left = left.checked_sub(1).ok_or(MapFailed)?;
        }
        let (transmit, receive) = self.buffers[frame.client.index()];
        let bytes = if frame.side == Side::Transmit { transmit.bytes() } else { receive.bytes() };
        assert_eq!(frame.bits, self.frame_bits, "{frame:?} is of another size");
        assert!((frame.number as usize) < bytes >> frame.bits, "{frame:?} is past the end of its buffer");
        assert_eq!(u64::from(frame.number), frame.capability, "{frame:?} has another frame's capability");
        let earlier = self.mapped.insert(frame.address, frame);
        assert_eq!(earlier, None, "{frame:?} is mapped over another");
        self.record(Action::Map(frame.client.number(), frame.side, frame.number));
        Ok(())
    }

    fn unmap(&mut self, frame: FrameRef) {
        assert_eq!(self.mapped.remove(&frame.address), Some(frame), "what is unmapped was mapped");
        self.record(Action::Unmap(frame.client.number(), frame.side, frame.number));
    }

    fn copy(&mut self, from: u64, to: u64, length: u32) {
        assert!(length > 0, "an empty copy needs no machine");
        // A client has 4 GiB of addresses: its transmit buffer lies in the lower half, its snapshots in the
        // last quarter.
        let side = if from >> 30 & 3 == 3 { Side::Snapshot } else { Side::Transmit };
        let (source, start) = self.resolve(from, length, side);
        let (target, to_start) = self.resolve(to, length, Side::Receive);
        source.copy(start, target, to_start, length as usize);
        self.record(Action::Copy(length));
    }

    fn poll_tick(&mut self) -> bool {
        self.rounds += 1;
        self.between_rounds.as_mut().is_some_and(|between| between())
    }

    fn woken(&mut self) -> ClientSet {
        self.woken.as_mut().map_or(ClientSet::EMPTY, |woken| woken())
    }

    fn announced(&mut self) -> ClientSet {
        self.announced.as_mut().map_or(ClientSet::EMPTY, |announced| announced())
    }

    fn signal_audit_reader(&mut self) {
        self.record(Action::SignalAuditReader);
    }

    fn signal(&mut self, client: DomainId) {
        self.record(Action::Signal(client.number()));
    }

    fn signal_and_sleep(&mut self, client: DomainId) {
        self.signal(client);
        self.combined.push(self.rounds);
    }
}
