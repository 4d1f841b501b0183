//! The comparison. Frames have no names in an image, only an identity. The first map of a region gives its
//! frames their names: that of the client whose region it is, else that of the first domain. Everything else
//! that shows or holds the region must then have the same frames.

use super::{Compared, Difference, Found, FoundDomain, FoundSegment, FoundSignal, Frame};
use crate::description::Description;
use crate::map::{Map, Permissions};
use crate::place::Placement;
use crate::system::Domain;
use std::collections::{BTreeMap, HashMap};

/// A page of a region: the region's number and the page's.
type Page = (usize, u64);

impl Description {
    /// How an image differs from this description. `placement` is where the platform puts central's
    /// capabilities, `contents` what fills regions, and `program` gives the program of a domain as the
    /// description makes it.
    pub fn differences<E>(
        &self,
        found: &Found,
        placement: &Placement,
        contents: &[(usize, Vec<u8>)],
        program: &dyn Fn(usize) -> Result<Vec<FoundSegment>, E>,
    ) -> Result<(Vec<Difference>, Compared), E> {
        let mut comparison = Comparison { description: self, names: HashMap::new(), differences: Vec::new() };
        comparison.domains(found);
        comparison.name_frames(found);
        let mut compared = Compared::default();
        for (number, domain) in self.system.domains.iter().enumerate() {
            let Some(found) = found.domains.iter().find(|found| found.name == domain.name) else { continue };
            if found.priority != domain.priority {
                let (found, wanted) = (found.priority, domain.priority);
                let name = domain.name.clone();
                comparison.differences.push(Difference::Priority { domain: name, found, wanted });
            }
            comparison.pages(domain, found);
            comparison.frames(number, found, placement);
            comparison.signals(number, found);
            comparison.others(found);
            comparison.program(found, &program(number)?);
            compared.domains += 1;
            compared.pages += found.pages.len();
            compared.frames += found.frames.len();
            compared.signals += found.signals.len();
        }
        comparison.contents(found, contents);
        Ok((comparison.differences, compared))
    }
}

struct Comparison<'a> {
    description: &'a Description,
    names: HashMap<Frame, Page>,
    differences: Vec<Difference>,
}

impl Comparison<'_> {
    fn domains(&mut self, found: &Found) {
        let wanted = || self.description.system.domains.iter().map(|domain| &domain.name);
        let missing = wanted().filter(|name| found.domains.iter().all(|found| found.name != **name));
        let missing = missing.map(|name| Difference::MissingDomain { domain: name.clone() });
        let extra = found.domains.iter().filter(|found| wanted().all(|name| *name != found.name));
        let extra = extra.map(|found| Difference::ExtraDomain { domain: found.name.clone() });
        let both: Vec<Difference> = missing.chain(extra).collect();
        self.differences.extend(both);
    }

    /// Gives names to the frames of all regions.
    fn name_frames(&mut self, found: &Found) {
        let description = self.description;
        let owners: Vec<usize> = description.clients.iter().map(|client| client.domain).collect();
        let others = (0..description.system.domains.len()).filter(|number| !owners.contains(number));
        let order: Vec<usize> = owners.iter().copied().chain(others).collect();
        let mut named = vec![false; description.system.regions.len()];
        for number in order {
            let domain = &description.system.domains[number];
            let Some(found) = found.domains.iter().find(|found| found.name == domain.name) else { continue };
            let at: HashMap<u64, Frame> = found.pages.iter().map(|page| (page.address, page.frame)).collect();
            for map in domain.maps.iter().filter(|map| is_used(map)) {
                if std::mem::replace(&mut named[map.region], true) {
                    continue;
                }
                for (page, address) in self.addresses(map, &at) {
                    let Some(frame) = at.get(&address) else { continue };
                    if let Some((other, _)) = self.names.insert(*frame, (map.region, page))
                        && other != map.region
                    {
                        let [first, second] =
                            [other, map.region].map(|region| description.system.regions[region].name.clone());
                        self.differences.push(Difference::SharedFrame { first, second });
                    }
                }
            }
        }
    }

    /// The pages of a map with their addresses. Their size is that of the frames that are found there.
    fn addresses(&self, map: &Map, at: &HashMap<u64, Frame>) -> Vec<(u64, u64)> {
        let bytes = self.description.system.regions[map.region].bytes;
        let bits = at.get(&map.address).map_or(12, |frame| frame.bits);
        let pages = 0..bytes >> bits;
        pages.map(|page| (page, map.address + (page << bits))).collect()
    }

    fn pages(&mut self, domain: &Domain, found: &FoundDomain) {
        let name = &domain.name;
        let at: HashMap<u64, Frame> = found.pages.iter().map(|page| (page.address, page.frame)).collect();
        let mut wanted: BTreeMap<u64, (Page, Permissions)> = BTreeMap::new();
        for map in domain.maps.iter().filter(|map| is_used(map)) {
            for (page, address) in self.addresses(map, &at) {
                // What can be used at all can be read.
                let permissions = Permissions { read: true, ..map.permissions };
                wanted.insert(address, ((map.region, page), permissions));
            }
        }
        for page in &found.pages {
            let (address, permissions) = (page.address, page.permissions.to_string());
            let Some((wanted_page, wanted_permissions)) = wanted.remove(&address) else {
                let found = self.frame(page.frame);
                let domain = name.clone();
                self.differences.push(Difference::ExtraPage { domain, address, found, permissions });
                continue;
            };
            if self.names.get(&page.frame) != Some(&wanted_page) {
                let (found, wanted) = (self.frame(page.frame), self.page(wanted_page));
                let domain = name.clone();
                self.differences.push(Difference::WrongPage { domain, address, found, wanted });
            }
            if page.permissions != wanted_permissions {
                let region = self.description.system.regions[wanted_page.0].name.clone();
                let (domain, found, wanted) = (name.clone(), permissions, wanted_permissions.to_string());
                let difference = Difference::PagePermissions { domain, region, address, found, wanted };
                self.differences.push(difference);
            }
        }
        for (address, ((region, _), _)) in wanted {
            let region = self.description.system.regions[region].name.clone();
            self.differences.push(Difference::MissingPage { domain: name.clone(), region, address });
        }
    }

    /// Only central has capabilities of frames, and those that the placement says.
    fn frames(&mut self, number: usize, found: &FoundDomain, placement: &Placement) {
        let mut wanted: BTreeMap<u64, (Page, Permissions)> = BTreeMap::new();
        if number == self.description.central {
            for grant in &placement.grants {
                let permissions = if grant.writable { Permissions::READ_WRITE } else { Permissions::READ };
                let pages = 0..grant.buffer.frames();
                wanted.extend(
                    pages.map(|page| (grant.first_capability + page, ((grant.region, page), permissions))),
                );
            }
        }
        for held in &found.frames {
            let (domain, capability) = (found.name.clone(), held.capability);
            let (what, permissions) = (self.frame(held.frame), held.permissions.to_string());
            let Some((page, rights)) = wanted.remove(&capability) else {
                let difference = Difference::ExtraFrame { domain, capability, found: what, permissions };
                self.differences.push(difference);
                continue;
            };
            if self.names.get(&held.frame) != Some(&page) {
                let wanted = self.page(page);
                let domain = domain.clone();
                self.differences.push(Difference::WrongFrame { domain, capability, found: what, wanted });
            }
            if held.permissions != rights {
                let (frame, wanted) = (self.page(page), rights.to_string());
                let found = permissions;
                let difference = Difference::FrameRights { domain, capability, frame, found, wanted };
                self.differences.push(difference);
            }
        }
        for (capability, (page, _)) in wanted {
            let (domain, wanted) = (found.name.clone(), self.page(page));
            self.differences.push(Difference::MissingFrame { domain, capability, wanted });
        }
    }

    fn signals(&mut self, number: usize, found: &FoundDomain) {
        let system = &self.description.system;
        let mut wanted = Vec::new();
        for channel in &system.channels {
            let [a, b] = &channel.ends;
            for (end, other) in [(a, b), (b, a)].into_iter().filter(|(end, _)| end.domain == number) {
                let target = system.domains[other.domain].name.clone();
                let signal = |is_call| FoundSignal {
                    id: end.id,
                    target: target.clone(),
                    target_id: other.id,
                    is_call,
                };
                wanted.extend(end.notify.then(|| signal(false)));
                wanted.extend(end.protected.then(|| signal(true)));
            }
        }
        let verb = |signal: &FoundSignal| if signal.is_call { "call" } else { "signal" };
        for signal in found.signals.iter().filter(|signal| !wanted.contains(signal)) {
            let (domain, target, id) = (found.name.clone(), signal.target.clone(), signal.id);
            self.differences.push(Difference::ExtraSignal { domain, verb: verb(signal), target, id });
        }
        for signal in wanted.iter().filter(|signal| !found.signals.contains(signal)) {
            let (domain, target, id) = (found.name.clone(), signal.target.clone(), signal.id);
            self.differences.push(Difference::MissingSignal { domain, verb: verb(signal), target, id });
        }
    }

    fn others(&mut self, found: &FoundDomain) {
        let extra = found
            .others
            .iter()
            .map(|what| Difference::ExtraCapability { domain: found.name.clone(), what: what.clone() });
        self.differences.extend(extra);
    }

    fn program(&mut self, found: &FoundDomain, wanted: &[FoundSegment]) {
        let mut report = |what: String| {
            self.differences.push(Difference::Program { domain: found.name.clone(), what });
        };
        if found.program.len() != wanted.len() {
            let (image, built) = (found.program.len(), wanted.len());
            report(format!("it has {image} segments instead of {built}"));
            return;
        }
        for (found, wanted) in found.program.iter().zip(wanted) {
            let at = wanted.address;
            if (found.address, found.bytes) != (wanted.address, wanted.bytes) {
                report(format!("the segment at {at:#x} has another place or size"));
            } else if found.permissions != wanted.permissions {
                report(format!(
                    "the segment at {at:#x} has the rights `{}` instead of `{}`",
                    found.permissions, wanted.permissions
                ));
            } else if let Some(offset) = first_difference(&found.contents, &wanted.contents) {
                report(format!("it differs at {:#x}", at + offset));
            }
        }
    }

    /// What fills each region. The rest of a region is zero.
    fn contents(&mut self, found: &Found, contents: &[(usize, Vec<u8>)]) {
        for (region, described) in self.description.system.regions.iter().enumerate() {
            let mut filled = Vec::new();
            for (frame, fill) in &found.fills {
                let named = self.names.get(frame).filter(|(named, _)| *named == region);
                let Some((_, page)) = named else { continue };
                let start = usize::try_from(*page << frame.bits).unwrap_or(usize::MAX);
                let end = start.saturating_add(fill.len());
                filled.resize(filled.len().max(end), 0);
                filled[start..end].copy_from_slice(fill);
            }
            let wanted = contents.iter().find(|(wanted, _)| *wanted == region);
            let mut wanted = wanted.map(|(_, contents)| contents.clone()).unwrap_or_default();
            let length = filled.len().max(wanted.len());
            filled.resize(length, 0);
            wanted.resize(length, 0);
            if let Some(offset) = first_difference(&filled, &wanted) {
                self.differences.push(Difference::Contents { region: described.name.clone(), offset });
            }
        }
    }

    /// What a frame is called: a page of a region.
    fn frame(&self, frame: Frame) -> String {
        let page = self.names.get(&frame);
        page.map_or_else(|| "memory of no region".into(), |page| self.page(*page))
    }

    fn page(&self, (region, page): Page) -> String {
        format!("page {page} of `{}`", self.description.system.regions[region].name)
    }
}

/// Whether a map can be used at all. For one that cannot, nothing has to be built.
fn is_used(map: &Map) -> bool {
    let Permissions { read, write, execute } = map.permissions;
    read || write || execute
}

/// The offset of the first byte that differs. What is missing at the end of one counts as a difference.
fn first_difference(found: &[u8], wanted: &[u8]) -> Option<u64> {
    let differs = found.iter().zip(wanted).position(|(one, other)| one != other);
    let shorter = (found.len() != wanted.len()).then(|| found.len().min(wanted.len()));
    differs.or(shorter).map(|offset| offset as u64)
}
