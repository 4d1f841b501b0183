//! Rules about `[[trusted]]`: each entry names one domain or device that exists and is not a client, and says
//! why. Whether an entry is needed is checked with the paths.

use super::Rules;
use crate::flows::TrustedTable;
use crate::problem::Problem;
use crate::reach::{Trusted, Trustee, devices};
use crate::source::Place;

impl Rules<'_> {
    /// The entries that name something, without those that name nothing.
    pub(super) fn trusted(&mut self, clients: &[usize], central: usize) -> Vec<Trusted> {
        let file = self.flows;
        let mut trusted: Vec<Trusted> = Vec::new();
        for table in &file.trusted {
            let place = self.flows_source.place(table.span());
            let table = table.get_ref();
            let Some((name, what)) = self.trustee(table, clients, central, &place) else { continue };
            if table.reason.trim().is_empty() {
                self.report(&place, Problem::TrustedWithoutReason { name: name.clone() });
            }
            if trusted.iter().any(|other| other.name == name && other.what == what) {
                self.report(&place, Problem::TrustedTwice { name: name.clone() });
                continue;
            }
            trusted.push(Trusted { name, what, reason: table.reason.trim().to_owned(), place });
        }
        trusted
    }

    fn trustee(
        &mut self,
        table: &TrustedTable,
        clients: &[usize],
        central: usize,
        place: &Place,
    ) -> Option<(String, Trustee)> {
        let (name, is_domain) = match (&table.domain, &table.device) {
            (Some(domain), None) => (domain, true),
            (None, Some(device)) => (device, false),
            (both, _) => {
                let found = if both.is_some() { "two things" } else { "nobody" };
                self.report(place, Problem::TrustedNames { found });
                return None;
            }
        };
        let place = self.flows_source.place(name.span());
        let name = name.get_ref().clone();
        let found = if is_domain { self.trusted_domain(&name) } else { self.trusted_device(&name) };
        match found {
            Some(Trustee::Domain(number)) if number == central || clients.contains(&number) => {
                self.report(&place, Problem::TrustedParticipant { name });
                None
            }
            Some(trustee) => Some((name, trustee)),
            None => {
                let what = if is_domain { "protection domain" } else { "device" };
                self.report(&place, Problem::UnknownTrusted { name, what });
                None
            }
        }
    }

    fn trusted_domain(&self, name: &str) -> Option<Trustee> {
        self.system.domain(name).map(Trustee::Domain)
    }

    fn trusted_device(&self, name: &str) -> Option<Trustee> {
        let space = self.system.io_spaces.iter().position(|space| space.name == name);
        let is_device = || devices(self.system).iter().any(|device| device.name == name);
        space.map(Trustee::IoSpace).or_else(|| is_device().then_some(Trustee::Device))
    }
}
