//! In place of the express lane, where central is built without it (feature `express`): every message takes
//! the ordinary path, which is the one that `accept.rs` and `transfer.rs` describe. Nothing else differs.

use ferry_layout::DomainId;

use super::Engine;
use super::client::Ports;
use crate::machine::Machine;

impl Engine {
    /// Carries nothing.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn express(&mut self, _: &mut impl Machine, _: DomainId, _: Ports) {}

    /// The ordinary path sees by itself what a share is enough for.
    #[expect(clippy::unused_self, reason = "the express lane's signature")]
    pub(super) const fn is_beyond_share(&mut self, _: DomainId, _: Ports) -> bool {
        false
    }
}
