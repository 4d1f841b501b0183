//! Replaces the express lane where central is built without it (feature `express`). Every message takes the
//! ordinary path, which `accept.rs` and `transfer.rs` describe. Nothing else differs.

use ferry_layout::DomainId;

use super::Engine;
use super::client::Ports;
use crate::machine::Machine;

/// Maps nothing.
pub(super) struct Ahead;

impl Ahead {
    pub(super) const NEW: Self = Self;

    /// Notes nothing.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn note_carried(&mut self, _: u32) {}
}

impl Engine {
    /// Carries nothing.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn express(&mut self, _: &mut impl Machine, _: DomainId, _: Ports, _: &mut Ahead) {}

    /// Carries nothing.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn express_one_way(
        &mut self,
        _: &mut impl Machine,
        _: DomainId,
        _: Ports,
        _: &mut Ahead,
    ) {
    }

    /// Hands out nothing.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn express_guarded(&mut self, _: &mut impl Machine, _: DomainId, _: Ports) {}

    /// Hands out nothing.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn express_waiting(&mut self, _: &mut impl Machine, _: DomainId, _: DomainId) -> bool {
        false
    }

    /// Takes nothing.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn express_verdicts(&mut self, _: &mut impl Machine, _: DomainId, _: Ports) {}

    /// Always false. The ordinary path checks by itself whether the share is large enough.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn is_beyond_share(&mut self, _: DomainId, _: Ports) -> bool {
        false
    }
}
