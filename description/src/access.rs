//! Who can read and write what: every region with everybody who can reach it, and every flow. A reviewer
//! signs this table. So it lists all of them, and is made from the checked description and nothing else.

use crate::description::{Description, Flow};
use crate::limits::CENTRAL;
use crate::system::Permissions;
use ferry_layout::config::Mapping;
use std::fmt;

/// The table. `Display` prints all of it.
#[derive(Clone, Debug)]
pub struct AccessTable {
    /// One row for each mapping of a region, and one for each buffer that central maps per transfer.
    pub rows: Vec<Access>,
    /// The flows, as in "sender -> receiver".
    flows: Vec<String>,
    /// Which domain controls which, as in "monitor controls client".
    control: Vec<String>,
}

/// One holder's access to one region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// Name of the region.
    pub region: String,
    /// The region's size in bytes.
    pub bytes: u64,
    /// Who can reach it: a protection domain, a virtual machine or a device.
    pub holder: String,
    /// What the holder may do with it.
    pub permissions: Permissions,
    /// When the holder can reach it.
    pub reach: Reach,
}

/// When memory is reachable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Mapped from the start.
    Always,
    /// Held as frame capabilities, and mapped for the length of a transfer.
    PerTransfer,
}

impl Description {
    /// The table of who can read and write what.
    #[must_use]
    pub fn access(&self) -> AccessTable {
        let mut rows = Vec::new();
        for (number, region) in self.system.regions.iter().enumerate() {
            let mut row = |holder: &str, permissions, reach| {
                let (region, bytes, holder) = (region.name.clone(), region.bytes, holder.to_owned());
                rows.push(Access { region, bytes, holder, permissions, reach });
            };
            for domain in &self.system.domains {
                for map in domain.maps.iter().filter(|map| map.region == number) {
                    row(&domain.name, map.permissions, Reach::Always);
                }
            }
            for foreign in self.system.foreign.iter().filter(|foreign| foreign.region == number) {
                row(&foreign.holder, foreign.permissions, Reach::Always);
            }
            if self.clients.iter().any(|client| client.transmit.region == number) {
                row(CENTRAL, Permissions::READ, Reach::PerTransfer);
            }
            if self.clients.iter().any(|client| client.receive.region == number) {
                row(CENTRAL, Permissions::READ_WRITE, Reach::PerTransfer);
            }
        }
        let control = self.system.domains.iter().flat_map(|domain| {
            domain.holds.iter().map(|(held, _)| format!("{} controls {held}", domain.name))
        });
        let flows = self.flows.iter().map(|flow| self.flow_line(flow)).collect();
        AccessTable { rows, flows, control: control.collect() }
    }

    fn flow_line(&self, flow: &Flow) -> String {
        let name =
            |number: u16| self.clients.get(usize::from(number)).map_or("?", |client| client.name.as_str());
        format!(
            "{} -> {}  up to {} bytes a message, {}, {}",
            name(flow.source),
            name(flow.target),
            flow.max_message,
            if flow.urgent { "urgent" } else { "normal" },
            match flow.mapping {
                Mapping::Each => "unmapped after each transfer",
                Mapping::Keep => "kept mapped while busy",
            },
        )
    }
}

impl fmt::Display for AccessTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: fn(&Access) -> &str, title: &str| {
            self.rows.iter().map(|row| column(row).len()).max().unwrap_or(0).max(title.len())
        };
        let region_width = width(|row| &row.region, "region");
        let holder_width = width(|row| &row.holder, "domain");
        writeln!(
            formatter,
            "{:region_width$}  {:>10}  {:holder_width$}  may  when",
            "region", "bytes", "domain"
        )?;
        let mut previous = "";
        for row in &self.rows {
            let first = row.region != previous;
            let (region, bytes) =
                if first { (row.region.as_str(), row.bytes.to_string()) } else { ("", String::new()) };
            let when = match row.reach {
                Reach::Always => "always",
                Reach::PerTransfer => "while it transfers, by frame capability",
            };
            let permissions = row.permissions.to_string();
            let holder = &row.holder;
            writeln!(
                formatter,
                "{region:region_width$}  {bytes:>10}  {holder:holder_width$}  {permissions:3}  {when}"
            )?;
            previous = &row.region;
        }
        writeln!(formatter, "\nflows")?;
        for flow in &self.flows {
            writeln!(formatter, "  {flow}")?;
        }
        if self.flows.is_empty() {
            writeln!(formatter, "  none: no client can send to any other")?;
        }
        for line in &self.control {
            writeln!(formatter, "\n{line}: it holds a capability of it, and is trusted like the kernel")?;
        }
        Ok(())
    }
}
