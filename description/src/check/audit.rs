//! Rules about the audit log: central writes it, and one protection domain reads it that takes part in no
//! flow. Any client can put something there, by having it refused. So a client that reads the log would learn
//! of the others past all flows.

use super::Rules;
use crate::description::Audit;
use crate::flows::{FlowTable, RecordsWord};
use crate::limits::{AUDIT_SYMBOL, PAGE_BYTES, TICKER};
use crate::map::Permissions;
use crate::problem::Problem;

impl Rules<'_> {
    /// Checks the region of the log and its reader. The size needs no rule: a page is enough, and no region
    /// is smaller.
    pub(super) fn audit(&mut self, clients: &[usize], central: usize) -> Option<Audit> {
        let system = self.system;
        let Some(table) = &self.flows.audit else {
            for flow in &self.flows.flow {
                if let Some(audit) = &flow.get_ref().audit {
                    self.report(&self.flows_source.place(audit.span()), Problem::AuditWithoutLog);
                }
            }
            return None;
        };
        let region = self.region_of(central, table.region.get_ref(), PAGE_BYTES)?;
        let map = self.map_of(central, region, &[Permissions::READ_WRITE], "rw");
        let readers = self.audit_readers(region, central);
        let [reader] = readers[..] else {
            let names: Vec<String> =
                readers.iter().map(|reader| format!("`{}`", system.domains[*reader].name)).collect();
            let readers = if names.is_empty() { "nobody".into() } else { names.join(" and ") };
            let region = table.region.get_ref().clone();
            let place = self.flows_source.place(table.region.span());
            self.report(&place, Problem::AuditReader { region, readers });
            return None;
        };
        let domain = &system.domains[reader];
        let what = if domain.name == TICKER {
            Some("the ticker")
        } else if self.is_guard(&domain.name) {
            Some("a guard")
        } else {
            clients.contains(&reader).then_some("a client")
        };
        let its_map = self.map_of(reader, region, &[Permissions::READ], "r")?;
        if let Some(what) = what {
            let name = domain.name.clone();
            self.report(&its_map.place, Problem::AuditParticipant { name, what });
            return None;
        }
        self.symbols(reader, its_map, AUDIT_SYMBOL);
        let channel = system.channel(central, reader).filter(|(end, _)| end.notify);
        Some(Audit {
            region,
            reader,
            address: map?.address,
            bytes: system.regions[region].bytes,
            channel: channel.map(|(end, _)| end.id),
        })
    }

    /// Central signals the reader at ticks only.
    pub(super) fn audit_ticks(&mut self, audit: Option<&Audit>, has_tick: bool) {
        let has_channel = audit.is_some_and(|audit| audit.channel.is_some());
        if let Some(table) = self.flows.audit.as_ref().filter(|_| has_channel && !has_tick) {
            let place = self.flows_source.place(table.region.span());
            self.report(&place, Problem::AuditWithoutTick);
        }
    }

    /// Whether `flows.toml` names the region as the audit log.
    pub(super) fn is_audit_log(&self, region: usize) -> bool {
        let table = self.flows.audit.as_ref();
        table.is_some_and(|table| *table.region.get_ref() == self.system.regions[region].name)
    }

    /// Everybody but central who maps the region.
    pub(super) fn audit_readers(&self, region: usize, central: usize) -> Vec<usize> {
        let domains = self.system.domains.iter().enumerate();
        let holders =
            domains.filter(|(number, domain)| *number != central && domain.map_of(region).is_some());
        holders.map(|(number, _)| number).collect()
    }

    /// Whether the log gets every message of this flow. It never gets those of a one-way flow.
    pub(super) fn audits_all(&self, flow: &FlowTable) -> bool {
        let Some(table) = &self.flows.audit else { return false };
        if flow.one_way.as_ref().is_some_and(|one_way| *one_way.get_ref()) {
            return false;
        }
        flow.audit.as_ref().map_or(table.records, |audit| *audit.get_ref()) == RecordsWord::All
    }
}
