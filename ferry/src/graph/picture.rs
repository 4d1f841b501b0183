//! What is drawn: a box for everything that acts, with the memory that it can reach; the flows; and a link
//! between two boxes for all that one can notice of the other. A region that several can reach, and that is
//! not Ferry's, has a box of its own.

use ferry_description::{
    Access, FlowRow, Influence, Party, PartyKind, Report, Role, TrustedKind, TrustedRow, When,
};
use std::collections::BTreeSet;

/// Everything that is drawn.
pub(super) struct Picture<'a> {
    pub(super) report: &'a Report,
    pub(super) boxes: Vec<Drawn<'a>>,
    pub(super) links: Vec<Link<'a>>,
}

/// A box.
pub(super) struct Drawn<'a> {
    pub(super) party: Party,
    pub(super) kind: BoxKind,
    /// A line below its name.
    pub(super) note: String,
    pub(super) rows: Vec<Row<'a>>,
}

/// What a box stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BoxKind {
    Central,
    Client,
    /// A domain, guest or device that takes no part in flows.
    Other,
    Trusted,
    Region,
    Memory,
}

/// A region in the box of who can reach it.
pub(super) struct Row<'a> {
    pub(super) region: &'a str,
    pub(super) permissions: String,
    /// What central may do with it, if it is Ferry's.
    pub(super) central: Option<&'a Access>,
}

/// Everything that two boxes can notice of each other.
pub(super) struct Link<'a> {
    /// Positions of the boxes.
    pub(super) ends: [usize; 2],
    /// Whether the first influences the second.
    pub(super) forward: bool,
    /// Whether the second influences the first.
    pub(super) backward: bool,
    /// Whether it is part of a path through something trusted.
    pub(super) is_trusted: bool,
    pub(super) influences: Vec<&'a Influence>,
}

impl BoxKind {
    /// Its name in a style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Client => "client",
            Self::Other => "other",
            Self::Trusted => "trusted",
            Self::Region => "region",
            Self::Memory => "memory",
        }
    }
}

impl<'a> Picture<'a> {
    /// The picture of a report.
    pub(super) fn of(report: &'a Report) -> Self {
        let mut boxes = Vec::new();
        for domain in &report.domains {
            let party = Party { kind: PartyKind::Domain, name: domain.name.clone() };
            let (kind, note) = match domain.role {
                Role::Central => (BoxKind::Central, format!("copies, priority {}", domain.priority)),
                Role::Client => (BoxKind::Client, format!("client, priority {}", domain.priority)),
                Role::Guard => (BoxKind::Client, format!("guard, priority {}", domain.priority)),
                Role::Ticker => (BoxKind::Other, format!("wakes central, priority {}", domain.priority)),
                Role::Auditor => {
                    (BoxKind::Other, format!("reads the audit log, priority {}", domain.priority))
                }
                Role::Announcer => (BoxKind::Other, format!("announcer, priority {}", domain.priority)),
                Role::Other => (BoxKind::Other, format!("priority {}", domain.priority)),
            };
            boxes.push(drawn(report, party, kind, note));
        }
        for guest in &report.guests {
            let party = Party { kind: PartyKind::Guest, name: guest.name.clone() };
            boxes.push(drawn(report, party, BoxKind::Other, "guest of a virtual machine".into()));
        }
        for device in &report.devices {
            let party = Party { kind: PartyKind::Device, name: device.name.clone() };
            boxes.push(drawn(report, party, BoxKind::Other, "device behind the IOMMU".into()));
        }
        for region in report.regions.iter().filter(|region| is_shared(report, &region.name)) {
            let party = Party { kind: PartyKind::Region, name: region.name.clone() };
            let note = format!("memory region, {} bytes", region.bytes);
            boxes.push(Drawn { party, kind: BoxKind::Region, note, rows: Vec::new() });
        }
        let all = report.influences.iter().flat_map(|influence| [&influence.from, &influence.to]);
        if let Some(memory) = all.into_iter().find(|party| party.kind == PartyKind::Memory) {
            let note = "of everybody, by a device".into();
            boxes.push(Drawn { party: memory.clone(), kind: BoxKind::Memory, note, rows: Vec::new() });
        }
        let links = links(report, &boxes);
        Self { report, boxes, links }
    }
}

/// The entry that trusts a party not to carry anything.
pub(super) fn trust<'a>(report: &'a Report, party: &Party) -> Option<&'a TrustedRow> {
    let kind = match party.kind {
        PartyKind::Domain => TrustedKind::Domain,
        PartyKind::Device => TrustedKind::ConfinedDevice,
        PartyKind::Guest | PartyKind::Region | PartyKind::Memory => return None,
    };
    report.trusted.iter().find(|entry| entry.kind == kind && entry.name == party.name)
}

/// Whether a region that is not Ferry's can be reached by more than one.
fn is_shared(report: &Report, region: &str) -> bool {
    let owned = report.regions.iter().any(|row| row.name == region && row.owner.is_some());
    let holders: BTreeSet<&Party> =
        report.access.iter().filter(|row| row.region == region).map(|row| &row.holder).collect();
    !owned && holders.len() > 1
}

fn drawn(report: &Report, party: Party, kind: BoxKind, note: String) -> Drawn<'_> {
    let central = report.domains.iter().find(|domain| domain.role == Role::Central);
    let is_central = |access: &&Access| {
        access.holder.kind == PartyKind::Domain
            && central.is_some_and(|central| central.name == access.holder.name)
    };
    let owner = |region: &str| {
        report.regions.iter().find(|row| row.name == region).and_then(|row| row.owner.as_deref())
    };
    let own = report.access.iter().filter(|access| access.holder == party);
    let rows = own.filter(|access| match owner(&access.region) {
        Some(owner) => owner == party.name,
        None => !is_shared(report, &access.region),
    });
    let rows = rows.map(|access| {
        let of_region = report.access.iter().filter(|other| other.region == access.region);
        let others = of_region.filter(|other| other.holder != access.holder);
        Row {
            region: &access.region,
            permissions: access.permissions.to_string(),
            central: others.into_iter().find(is_central),
        }
    });
    let rows = rows.collect();
    match trust(report, &party) {
        Some(_) => Drawn { party, kind: BoxKind::Trusted, note: format!("trusted, {note}"), rows },
        None => Drawn { party, kind, note, rows },
    }
}

/// One link for each two boxes between which there is any influence, in the order of the report.
fn links<'a>(report: &'a Report, boxes: &[Drawn<'a>]) -> Vec<Link<'a>> {
    let number = |party: &Party| boxes.iter().position(|drawn| drawn.party == *party);
    let trusted: Vec<&Influence> = report
        .trusted
        .iter()
        .flat_map(|entry| {
            let paths = entry.from.iter().chain(&entry.to).flat_map(|path| &path.steps);
            paths.chain(&entry.used_by)
        })
        .collect();
    let mut links: Vec<Link<'a>> = Vec::new();
    for influence in &report.influences {
        let (Some(from), Some(to)) = (number(&influence.from), number(&influence.to)) else { continue };
        let ends = [from.min(to), from.max(to)];
        let position = links.iter().position(|link| link.ends == ends).unwrap_or_else(|| {
            let influences = Vec::new();
            links.push(Link { ends, forward: false, backward: false, is_trusted: false, influences });
            links.len() - 1
        });
        let link = &mut links[position];
        link.forward |= from == ends[0];
        link.backward |= from == ends[1];
        link.is_trusted |= trusted.contains(&influence);
        link.influences.push(influence);
    }
    links
}

/// How a flow is described in a line.
pub(super) fn flow_words(flow: &FlowRow) -> String {
    let carried = format!(
        "{} → {}: up to {} bytes a message, {}, mapping {}",
        flow.from, flow.to, flow.max_message, flow.class, flow.mapping
    );
    let guards = flow.guards.iter().map(|stage| format!("passed by {stage}"));
    let one_way = flow.one_way.then(|| "one-way".to_owned());
    let audit = (flow.audit == Some("all")).then(|| "all in the audit log".to_owned());
    std::iter::once(carried).chain(guards).chain(one_way).chain(audit).collect::<Vec<_>>().join(", ")
}

/// Whether central maps the memory of a row only for a transfer.
pub(super) fn is_per_transfer(access: &Access) -> bool {
    access.when == When::PerTransfer
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferry_description::StageRow;

    #[test]
    fn a_flow_says_who_has_to_pass_its_messages_and_who_learns_of_them() {
        let stage =
            |quorum, of: &[&str]| StageRow { quorum, of: of.iter().map(|name| (*name).into()).collect() };
        let flow = FlowRow {
            from: "a".into(),
            to: "b".into(),
            class: "normal",
            mapping: "each",
            max_message: 64,
            guards: vec![stage(1, &["c"]), stage(2, &["d", "e", "f"])],
            verdict_within: Some(50),
            one_way: true,
            return_path: None,
            audit: Some("all"),
        };
        let words = flow_words(&flow);
        let end = "mapping each, passed by c, passed by 2 of d, e, f, one-way, all in the audit log";
        assert!(words.ends_with(end), "{words}");
    }
}
