//! The report as text.

use super::{
    AuditRow, Influence, PartitionRow, Party, PartyKind, PathRow, Report, StageRow, TrustedKind, TrustedRow,
    When,
};
use crate::name::shown;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.access_table(formatter)?;
        writeln!(formatter, "\nflows")?;
        for flow in &self.flows {
            let mapping = match flow.mapping {
                "keep" => "kept mapped while busy",
                _ => "unmapped after each transfer",
            };
            let (from, to, class) = (&flow.from, &flow.to, flow.class);
            let bytes = flow.max_message;
            writeln!(formatter, "  {from} -> {to}  up to {bytes} bytes a message, {class}, {mapping}")?;
            for stage in &flow.guards {
                writeln!(formatter, "    passed by {stage}")?;
            }
            if let Some(ticks) = flow.verdict_within {
                let end = if flow.one_way { "dropped" } else { "refused" };
                writeln!(formatter, "    within {ticks} ticks a stage, else {end}")?;
            }
            if flow.one_way {
                writeln!(formatter, "    one-way: `{from}` learns nothing of `{to}` by it")?;
            }
            if let Some(reason) = &flow.return_path {
                writeln!(formatter, "    but `{to}` can influence `{from}` in another way")?;
                writeln!(formatter, "      because: {}", shown(reason.trim()))?;
            }
        }
        if self.flows.is_empty() {
            writeln!(formatter, "  none: no client can send to any other")?;
        }
        if let Some(AuditRow { region, reader }) = &self.audit {
            writeln!(formatter, "\naudit log")?;
            writeln!(
                formatter,
                "  `{reader}` reads in `{region}` what is refused and judged of all flows and clients"
            )?;
            for flow in self.flows.iter().filter(|flow| flow.audit == Some("all")) {
                writeln!(
                    formatter,
                    "  and every message from {} to {}, without its bytes",
                    flow.from, flow.to
                )?;
            }
        }
        self.partitions(formatter)?;
        self.other_influence(formatter)?;
        for trusted in &self.trusted {
            self.trusted(trusted, formatter)?;
        }
        let beside = if self.trusted.is_empty() { "" } else { " and through what is trusted" };
        writeln!(
            formatter,
            "\nno client can influence another but by these flows{beside}; \
             none can influence central but by its four regions and its channel"
        )
    }
}

impl fmt::Display for StageRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.of.join(", ");
        if self.of.len() == 1 {
            formatter.write_str(&names)
        } else {
            write!(formatter, "{} of {names}", self.quorum)
        }
    }
}

impl Report {
    fn access_table(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region_names = self.regions.iter().map(|region| region.name.chars().count());
        let region_width = region_names.max().unwrap_or(0).max("region".len());
        let holders = self.access.iter().map(|row| holder(&row.holder).chars().count());
        let holder_width = holders.max().unwrap_or(0).max("domain".len());
        writeln!(
            formatter,
            "{:region_width$}  {:>10}  {:holder_width$}  may  when",
            "region", "bytes", "domain"
        )?;
        for region in &self.regions {
            let rows = self.access.iter().filter(|row| row.region == region.name);
            let (mut name, mut bytes) = (region.name.as_str(), region.bytes.to_string());
            for row in rows {
                let when = match row.when {
                    When::Always => "always",
                    When::PerTransfer => "while it transfers, by frame capability",
                };
                let (permissions, holder) = (row.permissions.to_string(), holder(&row.holder));
                writeln!(
                    formatter,
                    "{name:region_width$}  {bytes:>10}  {holder:holder_width$}  {permissions:3}  {when}"
                )?;
                (name, bytes) = ("", String::new());
            }
            if !name.is_empty() {
                let nobody = "nobody";
                writeln!(formatter, "{name:region_width$}  {bytes:>10}  {nobody:holder_width$}       never")?;
            }
        }
        Ok(())
    }

    fn partitions(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.partitions.is_empty() {
            writeln!(
                formatter,
                "\npartitions: central serves each only in its own time slots after those of it"
            )?;
        }
        for PartitionRow { domain, announcer, clients } in &self.partitions {
            let clients = if clients.is_empty() { "no client".into() } else { clients.join(", ") };
            writeln!(formatter, "  {domain}: {clients}; `{announcer}` announces its time slots")?;
        }
        Ok(())
    }

    /// What the table does not show already.
    fn other_influence(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_map = |influence: &Influence| {
            [&influence.from, &influence.to].iter().any(|party| party.kind == PartyKind::Region)
        };
        let mut others = self.influences.iter().filter(|influence| !is_map(influence)).peekable();
        if others.peek().is_some() {
            writeln!(formatter, "\nother ways of influence")?;
        }
        for influence in others {
            writeln!(formatter, "  {}  {}:{}", influence.what, self.system, influence.line)?;
        }
        Ok(())
    }

    fn trusted(&self, trusted: &TrustedRow, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrustedRow { name, reason, line, .. } = trusted;
        let with = match trusted.kind {
            TrustedKind::Domain | TrustedKind::ConfinedDevice => "to carry nothing from one to another",
            TrustedKind::Device => "to reach no memory but its driver's",
        };
        writeln!(formatter, "\ntrusted {with}: `{name}`  {}:{line}", self.flows_file)?;
        writeln!(formatter, "  because: {}", shown(reason))?;
        for path in &trusted.from {
            self.path(&format!("`{}` can influence it", path.domain), path, formatter)?;
        }
        for path in &trusted.to {
            self.path(&format!("it can influence `{}`", path.domain), path, formatter)?;
        }
        for use_of_it in &trusted.used_by {
            writeln!(formatter, "  {}  {}:{}", use_of_it.what, self.system, use_of_it.line)?;
        }
        Ok(())
    }

    fn path(&self, head: &str, path: &PathRow, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "  {head}")?;
        for step in &path.steps {
            writeln!(formatter, "    {}  {}:{}", step.what, self.system, step.line)?;
        }
        Ok(())
    }
}

/// What a holder is called in the table.
fn holder(party: &Party) -> String {
    match party.kind {
        PartyKind::Guest => format!("guest {}", party.name),
        PartyKind::Device => format!("device {}", party.name),
        PartyKind::Domain | PartyKind::Region | PartyKind::Memory => party.name.clone(),
    }
}
