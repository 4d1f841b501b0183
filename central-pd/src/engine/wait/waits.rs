//! Which clients wait for one client, and for which clients it waits. Only `wait.rs` can change that, and it
//! keeps both sides in step. Which targets are ready, all files of the engine may change.

use ferry_layout::DomainId;

use crate::table::ClientSet;

/// What one client waits for, and who waits for it.
pub(in crate::engine) struct Waits {
    /// Targets for which sends of this client wait.
    targets: ClientSet,
    /// Members of `targets` that may have become able to take one.
    ready: ClientSet,
    /// Sources whose sends wait for this client.
    sources: ClientSet,
}

impl Waits {
    pub(in crate::engine) const NOBODY: Self =
        Self { targets: ClientSet::EMPTY, ready: ClientSet::EMPTY, sources: ClientSet::EMPTY };

    /// Targets for which sends of this client wait.
    pub(in crate::engine) const fn targets(&self) -> ClientSet {
        self.targets
    }

    /// Targets for which sends of this client wait and that may be able to take one.
    #[inline]
    pub(in crate::engine) const fn ready(&self) -> ClientSet {
        self.ready
    }

    /// Sources whose sends wait for this client.
    pub(in crate::engine) const fn sources(&self) -> ClientSet {
        self.sources
    }

    /// Whether sends wait for this client.
    #[inline]
    pub(in crate::engine) const fn is_awaited(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Sources other than `source` whose sends wait for this client.
    #[inline]
    pub(in crate::engine) const fn others_than(&self, source: DomainId) -> ClientSet {
        let mut others = self.sources;
        others.remove(source);
        others
    }

    /// Notes that a send of this client waits for `target`.
    pub(super) const fn insert_target(&mut self, target: DomainId) {
        self.targets.insert(target);
    }

    /// Notes that no send of this client waits for `target` any more.
    pub(super) const fn remove_target(&mut self, target: DomainId) {
        self.targets.remove(target);
        self.ready.remove(target);
    }

    /// Notes that no send of this client waits any more.
    pub(super) const fn clear_targets(&mut self) {
        self.targets = ClientSet::EMPTY;
        self.ready = ClientSet::EMPTY;
    }

    /// Notes that a send of `source` waits for this client. Returns whether none did before.
    pub(super) const fn insert_source(&mut self, source: DomainId) -> bool {
        let first = !self.sources.contains(source);
        self.sources.insert(source);
        first
    }

    /// Notes that no send of `source` waits for this client any more.
    pub(super) const fn remove_source(&mut self, source: DomainId) {
        self.sources.remove(source);
    }

    /// Takes all sources out of the set. Returns those whose sends waited for this client.
    pub(super) const fn take_sources(&mut self) -> ClientSet {
        core::mem::replace(&mut self.sources, ClientSet::EMPTY)
    }

    /// Notes that sends that wait for `target` can do nothing until it acts.
    pub(in crate::engine) const fn block(&mut self, target: DomainId) {
        self.ready.remove(target);
    }

    /// Notes that sends that wait for `targets` may go on.
    pub(in crate::engine) const fn unblock(&mut self, targets: ClientSet) {
        self.ready = self.ready.union(targets);
    }

    /// Notes that sends that wait for `target` may go on.
    pub(in crate::engine) const fn unblock_one(&mut self, target: DomainId) {
        self.ready.insert(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_to_wait_and_who_stops_is_told() {
        let client = |number| DomainId::new(number).unwrap();
        let mut waits = Waits::NOBODY;
        let begins = [3, 3, 4].map(|source| waits.insert_source(client(source)));
        assert_eq!((begins, waits.is_awaited()), ([true, false, true], true));
        waits.remove_source(client(3));
        assert_eq!((waits.insert_source(client(3)), waits.sources().count()), (true, 2));
        for target in [5, 6] {
            waits.insert_target(client(target));
            waits.unblock_one(client(target));
        }
        waits.block(client(5));
        assert_eq!((waits.targets().count(), waits.ready().only()), (2, Some(client(6))));
        waits.clear_targets();
        assert!(waits.targets().is_empty() && waits.ready().is_empty());
    }
}
