//! The topology of a system under test, and the configuration that describes it to the engine.

use ferry_layout::DomainName;
use ferry_layout::config::{
    BufferRecord, CONFIG_MAGIC, CONFIG_VERSION, ClientRecord, FlowRecord, Header, Mapping,
};
use zerocopy::IntoBytes;

/// Bytes of a buffer region with this many frames.
#[must_use]
pub const fn buffer_bytes(frames: usize) -> usize {
    frames * 4096
}

/// Clients and flows. Each client has a transmit and a receive buffer of the same size.
#[derive(Clone, Debug)]
pub struct Topology {
    /// Bytes of each of the two buffers of each client.
    pub clients: Vec<usize>,
    /// The flows.
    pub flows: Vec<FlowRecord>,
    /// Bytes that central copies for each client in one round.
    pub bytes_per_round: u32,
    /// Descriptors that central takes from each client in one round, at most.
    pub messages_per_round: u32,
    /// Binary logarithm of a frame's size in bytes.
    pub frame_bits: u32,
}

impl Topology {
    /// `count` clients with buffers of `frames` frames. Each client may send to every other one.
    #[must_use]
    pub fn mesh(count: u16, frames: usize, mapping: Mapping) -> Self {
        let pairs = (0..count).flat_map(|source| (0..count).map(move |target| (source, target)));
        let flows = pairs.filter(|(source, target)| source != target);
        Self {
            clients: vec![buffer_bytes(frames); usize::from(count)],
            flows: flows.map(|(source, target)| Self::flow(source, target, mapping)).collect(),
            bytes_per_round: 64 * 1024,
            messages_per_round: 64,
            frame_bits: 12,
        }
    }

    /// A flow that neither limits the length of messages nor allows urgent ones.
    #[must_use]
    pub const fn flow(source: u16, target: u16, mapping: Mapping) -> FlowRecord {
        FlowRecord { source, target, urgent: 0, mapping: mapping as u8, reserved: 0, max_message: u32::MAX }
    }

    /// Address in the window at which the simulated machine expects a client's buffer. The buffers lie far
    /// apart, so that an access past the end of one is not inside another.
    pub(crate) const fn window_address(client: usize, receive: bool) -> u64 {
        (1 << 36) + ((client as u64) << 32) + if receive { 1 << 31 } else { 0 }
    }

    /// The configuration in whole words. A blob has to lie at an address that is a multiple of 8.
    ///
    /// # Panics
    /// If there are more clients than a client number can name.
    #[must_use]
    pub fn encode(&self) -> Vec<u64> {
        let header = Header {
            magic: CONFIG_MAGIC,
            version: CONFIG_VERSION,
            clients: u32::try_from(self.clients.len()).expect("few clients"),
            flows: u32::try_from(self.flows.len()).expect("few flows"),
            tick_channel: Header::NO_TICK,
            tick_period: 1000,
            reserved: 0,
        };
        let buffer = |client: usize, receive: bool| BufferRecord {
            window_address: Self::window_address(client, receive),
            first_capability: 0,
            bytes: self.clients[client] as u64,
            frame_bits: self.frame_bits,
            reserved: 0,
        };
        let mut blob = header.as_bytes().to_vec();
        for client in 0..self.clients.len() {
            let record = ClientRecord {
                name: DomainName::new(&format!("client{client}")).expect("a short name"),
                out_address: 4096,
                in_address: 4096,
                transmit: buffer(client, false),
                receive: buffer(client, true),
                bytes_per_round: self.bytes_per_round,
                messages_per_round: self.messages_per_round,
                channel: u32::try_from(client).expect("few clients"),
                reserved: 0,
            };
            blob.extend_from_slice(record.as_bytes());
        }
        for flow in &self.flows {
            blob.extend_from_slice(flow.as_bytes());
        }
        blob.resize(blob.len().next_multiple_of(8), 0);
        let words = blob.chunks_exact(8).filter_map(|word| word.try_into().ok());
        words.map(u64::from_le_bytes).collect()
    }
}
