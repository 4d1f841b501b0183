//! The measured system with more clients. The additional clients post their buffers once and then sleep. They
//! are added as `ferry add client` adds them.

use crate::edit::{self, Counts, NewClient, Places, Reads};
use crate::error::Error;
use ferry_description::{Draft, Source};

/// Bytes of a buffer that is not used.
const BUFFER_BYTES: u64 = 0x1000;

/// The description of a system with `clients` clients, made from `system`, which describes two.
pub(super) fn describe(system: &Source, flows: &Source, clients: u16) -> Result<String, Error> {
    let mut text = system.text().to_owned();
    for number in 2..clients {
        let source = Source::new(system.path(), text.as_str());
        let draft = Draft::check(&source, flows)?;
        let name = format!("sleeper_{number}");
        let sleeper = NewClient {
            name: &name,
            program: "consumer.elf",
            priority: 110,
            fpu: true,
            schedule_domain: None,
            buffers: [BUFFER_BYTES; 2],
            large_frames: false,
            reads: Some(Reads { region: "bench", address: 0x2002_0000, symbol: "ferry_bench" }),
        };
        text = edit::add_to_system(&text, &draft, &sleeper, Places::find(&draft)?)?;
        // The configuration grows with the clients.
        let counts = Counts::of(&draft);
        let counts = Counts { clients: counts.clients + 1, ..counts };
        if let Some(bytes) = edit::config_size(&draft, counts) {
            text = edit::resize_config(&text, bytes)?;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use ferry_description::{Description, Source};

    #[test]
    fn a_system_with_more_clients_is_valid() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench"));
        let read = |name: &str| Source::read(&root.join(name)).unwrap();
        let (system, flows) = (read("system.xml"), read("flows-keep.toml"));
        let described = super::describe(&system, &flows, 32).unwrap();
        let description = Description::check(&Source::new("system.xml", described), &flows, &[]);
        let description = description.map_err(|mistakes| mistakes.render(false)).unwrap();
        assert_eq!(description.system.domains.len(), 33, "32 clients and central");
        // The numbers of the channels follow each other, as those of the first two do.
        let channels: Vec<u8> = description.clients.iter().map(|client| client.channel).collect();
        assert_eq!(channels, (1..=32).collect::<Vec<_>>());
    }
}
