//! Every bound of the configuration: the last value that is accepted, and the first that is not.

use ferry_layout::DomainName;
use ferry_layout::config::{
    AuditPlace, BufferRecord, CONFIG_MAGIC, CONFIG_VERSION, ClientRecord, Config, ConfigError, FlowRecord,
    Header, Mapping, StageRecord,
};
use ferry_layout::geometry::{
    CHANNELS, MAX_BUFFER_BYTES, MAX_BUFFER_FRAMES, MAX_CLIENTS, MAX_GUARDS, MAX_INSPECTED, MAX_ONE_WAY,
    MAX_STAGES,
};
use zerocopy::IntoBytes;

/// A blob before it is encoded.
struct Blob {
    header: Header,
    clients: Vec<ClientRecord>,
    flows: Vec<FlowRecord>,
    stages: Vec<StageRecord>,
}

impl Blob {
    /// Two clients, a flow in each direction, and a ticker.
    fn new() -> Self {
        let buffer = BufferRecord {
            window_address: 0x20_0000,
            first_capability: 1,
            bytes: 0x20_0000,
            frame_bits: 12,
            reserved: 0,
        };
        let client = |number: u32| ClientRecord {
            name: DomainName::new(&format!("client{number}")).unwrap(),
            out_address: 0x1000,
            in_address: 0x2000,
            transmit: buffer,
            receive: buffer,
            snapshot: BufferRecord::NONE,
            bytes_per_round: 1,
            messages_per_round: 1,
            channel: number,
            guard: 0,
            announcer: ClientRecord::NO_PARTITION,
            reserved: 0,
        };
        let flow = |source, target| FlowRecord::plain(source, target, false, Mapping::Each, 1);
        let header = Header {
            magic: CONFIG_MAGIC,
            version: CONFIG_VERSION,
            clients: 2,
            flows: 2,
            tick_channel: 9,
            tick_period: 1000,
            stages: 0,
            audit: AuditPlace::NONE,
        };
        Self {
            header,
            clients: vec![client(0), client(1)],
            flows: vec![flow(0, 1), flow(1, 0)],
            stages: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u64> {
        let mut bytes = self.header.as_bytes().to_vec();
        bytes.extend_from_slice(self.clients.as_bytes());
        bytes.extend_from_slice(self.flows.as_bytes());
        bytes.extend_from_slice(self.stages.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
    }

    fn parse(&self) -> Result<(), ConfigError> {
        Config::parse(self.bytes().as_bytes()).map(drop)
    }
}

/// What `change` makes of a good blob.
fn with(change: impl FnOnce(&mut Blob)) -> Result<(), ConfigError> {
    let mut blob = Blob::new();
    change(&mut blob);
    blob.parse()
}

#[track_caller]
fn accepted(change: impl FnOnce(&mut Blob)) {
    assert_eq!(with(change), Ok(()));
}

/// The change makes client 1 one that is refused.
#[track_caller]
fn client_refused(change: impl FnOnce(&mut ClientRecord)) {
    assert_eq!(with(|blob| change(&mut blob.clients[1])), Err(ConfigError::Client(1)));
}

/// The change makes flow 1 one that is refused.
#[track_caller]
fn flow_refused(change: impl FnOnce(&mut FlowRecord)) {
    assert_eq!(with(|blob| change(&mut blob.flows[1])), Err(ConfigError::Flow(1)));
}

#[test]
fn the_header() {
    accepted(|_| {});
    assert_eq!(with(|blob| blob.header.magic += 1), Err(ConfigError::NotAConfig));
    for version in [CONFIG_VERSION - 1, CONFIG_VERSION + 1] {
        assert_eq!(with(|blob| blob.header.version = version), Err(ConfigError::Version(version)));
    }
    let too_many = u32::try_from(MAX_CLIENTS).unwrap() + 1;
    assert_eq!(with(|blob| blob.header.clients = too_many), Err(ConfigError::TooManyClients(too_many)));
    assert_eq!(with(|blob| blob.header.clients = too_many - 1), Err(ConfigError::Truncated));
    assert_eq!(with(|blob| blob.header.flows = 3), Err(ConfigError::Truncated));
    accepted(|blob| blob.header.tick_channel = u32::from(CHANNELS) - 1);
    accepted(|blob| blob.header.tick_channel = Header::NO_TICK);
    let beyond = u32::from(CHANNELS);
    assert_eq!(with(|blob| blob.header.tick_channel = beyond), Err(ConfigError::TickChannel(beyond)));
}

#[test]
fn the_audit_log() {
    let place = AuditPlace { address: 0x5000, bytes: 0x1000, channel: 10, reserved: 0 };
    let with_log = |change: fn(&mut AuditPlace)| {
        with(|blob| {
            blob.header.audit = place;
            change(&mut blob.header.audit);
        })
    };
    assert_eq!(with_log(|_| {}), Ok(()));
    assert_eq!(with_log(|audit| audit.channel = AuditPlace::NO_CHANNEL), Ok(()));
    let refused: [fn(&mut AuditPlace); 9] = [
        |audit| audit.address = 0,
        |audit| audit.address += 8,
        |audit| audit.address = u64::MAX - 0xfff,
        |audit| audit.bytes = 0,
        |audit| audit.bytes = 0x800,
        |audit| audit.bytes = 0x1080,
        |audit| audit.channel = u32::from(CHANNELS),
        // The ticker's.
        |audit| audit.channel = 9,
        |audit| *audit = AuditPlace { channel: 10, ..AuditPlace::NONE },
    ];
    for change in refused {
        assert_eq!(with_log(change), Err(ConfigError::Audit));
    }
    // A client's channel.
    assert_eq!(with_log(|audit| audit.channel = 1), Err(ConfigError::Client(1)));
    flow_refused(|flow| flow.audit = 2);
    accepted(|blob| blob.flows[1].audit = 1);
}

#[test]
fn as_many_clients_as_there_can_be() {
    let all = |blob: &mut Blob, count: usize| {
        let first = blob.clients[0];
        let client = |number: usize| ClientRecord { channel: u32::try_from(number).unwrap() + 10, ..first };
        blob.clients = (0..count).map(client).collect();
        blob.header.clients = u32::try_from(count).unwrap();
    };
    accepted(|blob| all(blob, MAX_CLIENTS));
    assert!(with(|blob| all(blob, MAX_CLIENTS + 1)).is_err());
}

#[test]
fn a_client() {
    client_refused(|client| client.name = DomainName::default());
    for address in [0, 0x1001, 0x1800] {
        client_refused(|client| client.out_address = address);
        client_refused(|client| client.in_address = address);
    }
    client_refused(|client| client.bytes_per_round = 0);
    client_refused(|client| client.messages_per_round = 0);
    accepted(|blob| blob.clients[1].channel = u32::from(CHANNELS) - 1);
    client_refused(|client| client.channel = u32::from(CHANNELS));
    client_refused(|client| client.channel = 0);
    client_refused(|client| client.channel = 9);
}

#[test]
fn a_buffer() {
    let buffers: [fn(&mut ClientRecord) -> &mut BufferRecord; 2] =
        [|client| &mut client.transmit, |client| &mut client.receive];
    for buffer in buffers {
        let accepted = |change: fn(&mut BufferRecord)| {
            assert_eq!(with(|blob| change(buffer(&mut blob.clients[1]))), Ok(()));
        };
        let refused = |change: fn(&mut BufferRecord)| client_refused(|client| change(buffer(client)));
        accepted(|buffer| buffer.bytes = 0);
        accepted(|buffer| buffer.bytes = 4096 * MAX_BUFFER_FRAMES as u64);
        refused(|buffer| buffer.bytes = 4096 * (MAX_BUFFER_FRAMES as u64 + 1));
        refused(|buffer| buffer.bytes += 1);
        refused(|buffer| buffer.bytes += 2048);
        for bits in [0, 11, 13, 20, 22, 64, 76] {
            client_refused(|client| buffer(client).frame_bits = bits);
        }
        accepted(|buffer| (buffer.frame_bits, buffer.bytes) = (21, MAX_BUFFER_BYTES));
        refused(|buffer| (buffer.frame_bits, buffer.bytes) = (21, MAX_BUFFER_BYTES + 0x20_0000));
        refused(|buffer| (buffer.frame_bits, buffer.bytes) = (21, 4096));
        refused(|buffer| buffer.window_address += 2048);
        refused(|buffer| (buffer.frame_bits, buffer.window_address) = (21, 0x1000));
        refused(|buffer| buffer.window_address = 0u64.wrapping_sub(0x20_0000));
        accepted(|buffer| buffer.window_address = 0u64.wrapping_sub(0x20_1000));
    }
}

#[test]
fn a_flow() {
    flow_refused(|flow| flow.source = 2);
    flow_refused(|flow| flow.target = 2);
    flow_refused(|flow| flow.target = flow.source);
    accepted(|blob| blob.flows[1].urgent = 1);
    flow_refused(|flow| flow.urgent = 2);
    accepted(|blob| blob.flows[1].mapping = 1);
    flow_refused(|flow| flow.mapping = 2);
    flow_refused(|flow| flow.max_message = 0);
    assert_eq!(with(|blob| blob.flows[1] = blob.flows[0]), Err(ConfigError::FlowTwice(1)));
}

#[test]
fn one_way_flows() {
    let with = |one_way: u32, max_message: u32| {
        with(|blob| {
            let flow = &mut blob.flows[0];
            (flow.one_way, flow.max_message) = (one_way, max_message);
        })
    };
    assert_eq!(with(1, MAX_ONE_WAY), Ok(()));
    assert_eq!(with(1, MAX_ONE_WAY + 1), Err(ConfigError::Flow(0)));
    assert_eq!(with(0, MAX_ONE_WAY + 1), Ok(()));
    assert_eq!(with(2, 1), Err(ConfigError::Flow(0)));
}

#[test]
fn all_clients_have_an_announcer_or_none() {
    let with = |announcers: [u32; 2]| {
        with(|blob| {
            blob.header.audit = AuditPlace { address: 0x5000, bytes: 0x1000, channel: 10, reserved: 0 };
            for (client, announcer) in blob.clients.iter_mut().zip(announcers) {
                client.announcer = announcer;
            }
            for flow in &mut blob.flows {
                flow.one_way = 1;
            }
        })
    };
    let none = ClientRecord::NO_PARTITION;
    for good in [[2, 3], [2, 2], [none, none], [u32::from(CHANNELS) - 1, 2]] {
        assert_eq!(with(good), Ok(()), "{good:?}");
    }
    // Beyond all channels, those of the two clients, of the ticker and of the audit log, and none.
    for bad in [u32::from(CHANNELS), 0, 1, 9, 10, none] {
        assert_eq!(with([bad, 2]), Err(ConfigError::Client(0)), "{bad}");
    }
}

#[test]
fn those_who_notice_each_other_are_in_one_partition() {
    let between = |(source, target): (u16, u16), announcers: [u32; 4], one_way: u32| {
        with(|blob| {
            guarded(blob);
            let guard = blob.clients[1];
            blob.clients.push(ClientRecord { channel: 3, ..guard });
            blob.header.clients = 4;
            blob.stages[0].members = 0b1010;
            (blob.flows[0].one_way, blob.flows[0].max_message) = (one_way, 1);
            (blob.flows[0].source, blob.flows[0].target) = (source, target);
            for (client, announcer) in blob.clients.iter_mut().zip(announcers) {
                client.announcer = announcer;
            }
        })
    };
    // Client 0 sends to client 2, or gets messages of it, and 1 and 3 are guards.
    assert_eq!(between((2, 0), [5, 5, 6, 5], 0), Err(ConfigError::Flow(0)));
    let with = |announcers, one_way| between((0, 2), announcers, one_way);
    let refused = Err(ConfigError::Flow(0));
    assert_eq!([with([5; 4], 0), with([5; 4], 1)], [Ok(()); 2]);
    assert_eq!([with([5, 6, 7, 6], 0), with([5, 6, 7, 6], 1)], [refused, Ok(())]);
    assert_eq!([with([5, 5, 6, 5], 0), with([6, 5, 5, 5], 0)], [refused; 2]);
    assert_eq!([with([5, 6, 5, 5], 0), with([5, 6, 5, 5], 1)], [refused; 2]);
}

/// Makes client 1 a guard, and has it guard a flow from client 0 to a third client.
fn guarded(blob: &mut Blob) {
    let first = blob.clients[0];
    blob.clients.push(ClientRecord { channel: 2, ..first });
    blob.header.clients = 3;
    let guard = &mut blob.clients[1];
    (guard.guard, guard.snapshot) = (1, BufferRecord { first_capability: 9999, ..guard.receive });
    blob.flows = vec![FlowRecord {
        stages: 1,
        verdict_within: 1,
        ..FlowRecord::plain(0, 2, false, Mapping::Each, MAX_INSPECTED)
    }];
    blob.header.flows = 1;
    blob.stages = vec![StageRecord { members: 0b010, quorum: 1 }];
    blob.header.stages = 1;
}

#[test]
fn guards() {
    let with = |change: fn(&mut Blob)| {
        with(|blob| {
            guarded(blob);
            change(blob);
        })
    };
    let flow_refused = |change: fn(&mut Blob)| assert_eq!(with(change), Err(ConfigError::Flow(0)));
    let client_refused = |change: fn(&mut Blob)| assert_eq!(with(change), Err(ConfigError::Client(1)));
    assert_eq!(with(|_| {}), Ok(()));
    client_refused(|blob| blob.clients[1].guard = 2);
    client_refused(|blob| blob.clients[1].snapshot = BufferRecord::NONE);
    client_refused(|blob| blob.clients[1].snapshot.bytes -= 4096);
    client_refused(|blob| blob.clients[1].snapshot.frame_bits = 21);
    // No client but a guard has a snapshot.
    client_refused(|blob| blob.clients[1].guard = 0);
    flow_refused(|blob| blob.flows[0].source = 1);
    flow_refused(|blob| blob.flows[0].target = 1);
    flow_refused(|blob| blob.flows[0].max_message = MAX_INSPECTED + 1);
    flow_refused(|blob| blob.flows[0].verdict_within = 0);
    flow_refused(|blob| blob.flows[0].verdict_within = 1 << 31);
    assert_eq!(with(|blob| blob.flows[0].verdict_within = (1 << 31) - 1), Ok(()));
    // Without guards there is nothing to wait for.
    flow_refused(|blob| blob.flows[0].stages = 0);
    flow_refused(|blob| blob.flows[0].stages = 2);
    flow_refused(|blob| blob.flows[0].first_stage = 1);
    flow_refused(|blob| blob.flows[0].first_stage = u32::MAX);
    for members in [0, 0b001, 0b100, 0b011, 1 << 31] {
        assert!(with_members(members).is_err(), "{members:b}");
    }
    flow_refused(|blob| blob.stages[0].quorum = 0);
    flow_refused(|blob| blob.stages[0].quorum = 2);
    // Nobody guards a flow twice.
    flow_refused(|blob| {
        blob.stages.push(blob.stages[0]);
        (blob.header.stages, blob.flows[0].stages) = (2, 2);
    });
    let too_many = u32::try_from(MAX_STAGES).unwrap() + 1;
    assert_eq!(
        with(|blob| blob.header.stages = u32::try_from(MAX_STAGES).unwrap() + 1),
        Err(ConfigError::TooManyStages(too_many))
    );
    let most = |blob: &mut Blob| blob.header.stages = u32::try_from(MAX_STAGES).unwrap();
    assert_eq!(with(most), Err(ConfigError::Truncated));
    assert_eq!(with(|blob| blob.header.stages = 2), Err(ConfigError::Truncated));
}

fn with_members(members: u32) -> Result<(), ConfigError> {
    with(|blob| {
        guarded(blob);
        blob.stages[0].members = members;
    })
}

#[test]
fn as_many_guards_as_a_flow_can_have() {
    let with = |count: usize| {
        with(|blob| {
            guarded(blob);
            let guard = blob.clients[1];
            blob.clients.truncate(1);
            let number = |place: usize| u32::try_from(place).unwrap() + 10;
            blob.clients.push(ClientRecord { channel: 5, ..blob.clients[0] });
            blob.clients.extend((0..count).map(|place| ClientRecord { channel: number(place), ..guard }));
            blob.header.clients = u32::try_from(blob.clients.len()).unwrap();
            blob.flows[0].target = 1;
            blob.stages[0].members = ((1 << count) - 1) << 2;
        })
    };
    assert_eq!(with(MAX_GUARDS), Ok(()));
    assert_eq!(with(MAX_GUARDS + 1), Err(ConfigError::Flow(0)));
}

/// A restarting central unmaps all of these.
#[test]
fn a_guard_has_three_buffers_and_other_clients_two() {
    let mut blob = Blob::new();
    guarded(&mut blob);
    let capabilities = |client: usize| {
        let client = blob.clients[client];
        client.buffers().map(|buffer| buffer.first_capability).collect::<Vec<u64>>()
    };
    assert_eq!((capabilities(0), capabilities(1)), (vec![1, 1], vec![1, 1, 9999]));
}

#[test]
fn what_was_checked_is_what_is_read() {
    let bytes = Blob::new().bytes();
    let config = Config::parse(bytes.as_bytes()).unwrap();
    assert_eq!((config.tick_channel(), config.tick_period()), (Some(9), 1000));
    assert!(config.audit().is_none());
    let names = config.clients().map(|(id, client)| (id.number(), client.name.as_str().to_owned()));
    assert_eq!(names.collect::<Vec<_>>(), [(0, "client0".to_owned()), (1, "client1".to_owned())]);
    let pairs = config.flows().iter().map(|flow| (flow.source, flow.target));
    assert_eq!(pairs.collect::<Vec<_>>(), [(0, 1), (1, 0)]);

    let mut blob = Blob::new();
    blob.header.audit = AuditPlace { address: 0x5000, bytes: 0x1000, channel: 10, reserved: 0 };
    let bytes = blob.bytes();
    let place = Config::parse(bytes.as_bytes()).unwrap().audit();
    assert_eq!(place.map(|place| (place.address, place.bytes, place.channel)), Some((0x5000, 0x1000, 10)));
}
