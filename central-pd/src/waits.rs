//! Who waits for one client, and for whom it waits. `engine/wait.rs` keeps both sides in step.

use ferry_layout::DomainId;

use crate::table::ClientSet;

/// The waits of one client.
pub(crate) struct Waits {
    /// Targets for which sends of this client wait.
    targets: ClientSet,
    /// Those of them that may have become able to take one.
    ready: ClientSet,
    /// Sources whose sends wait for this client.
    sources: ClientSet,
}

impl Waits {
    pub(crate) const NOBODY: Self =
        Self { targets: ClientSet::EMPTY, ready: ClientSet::EMPTY, sources: ClientSet::EMPTY };

    /// Targets for which sends of this client wait.
    pub(crate) const fn targets(&self) -> ClientSet {
        self.targets
    }

    /// Targets for which sends of this client wait and that may be able to take one.
    #[inline]
    pub(crate) const fn ready(&self) -> ClientSet {
        self.ready
    }

    /// Sources whose sends wait for this client.
    pub(crate) const fn sources(&self) -> ClientSet {
        self.sources
    }

    /// Whether sends wait for this client.
    #[inline]
    pub(crate) const fn is_awaited(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Sources other than `source` whose sends wait for this client.
    #[inline]
    pub(crate) const fn others_than(&self, source: DomainId) -> ClientSet {
        let mut others = self.sources;
        others.remove(source);
        others
    }

    /// A send of this client waits for `target`.
    pub(crate) const fn insert_target(&mut self, target: DomainId) {
        self.targets.insert(target);
    }

    /// No send of this client waits for `target` any more.
    pub(crate) const fn remove_target(&mut self, target: DomainId) {
        self.targets.remove(target);
        self.ready.remove(target);
    }

    /// No send of this client waits any more.
    pub(crate) const fn clear_targets(&mut self) {
        self.targets = ClientSet::EMPTY;
        self.ready = ClientSet::EMPTY;
    }

    /// A send of `source` waits for this client. Whether none did before.
    pub(crate) const fn insert_source(&mut self, source: DomainId) -> bool {
        let first = !self.sources.contains(source);
        self.sources.insert(source);
        first
    }

    /// No send of `source` waits for this client any more.
    pub(crate) const fn remove_source(&mut self, source: DomainId) {
        self.sources.remove(source);
    }

    /// Sources whose sends waited for this client; none is noted any more.
    pub(crate) const fn take_sources(&mut self) -> ClientSet {
        core::mem::replace(&mut self.sources, ClientSet::EMPTY)
    }

    /// A send that waits for `target` can do nothing until that acts.
    pub(crate) const fn block(&mut self, target: DomainId) {
        self.ready.remove(target);
    }

    /// Sends that wait for `targets` may go on.
    pub(crate) const fn unblock(&mut self, targets: ClientSet) {
        self.ready = self.ready.union(targets);
    }

    /// Sends that wait for `target` may go on.
    pub(crate) const fn unblock_one(&mut self, target: DomainId) {
        self.ready.insert(target);
    }
}
