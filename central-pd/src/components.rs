//! Components: which clients can notice each other, over any number of flows. `engine/round.rs` says what
//! that means for what central does.

use ferry_layout::DomainId;
use ferry_layout::geometry::MAX_CLIENTS;

use crate::table::{ClientSet, Table};

/// The components of a system. Each client is in one.
pub(crate) struct Components {
    /// The component of each client. Empty for one that is alone.
    of: Table<ClientSet, MAX_CLIENTS>,
    /// At the place of each component: the number of the client with which its next round begins.
    rotation: Table<u32, MAX_CLIENTS>,
    /// The place of the component that was entered last.
    entered: Option<DomainId>,
}

impl Components {
    pub(crate) const fn new() -> Self {
        Self {
            of: Table::new([ClientSet::EMPTY; MAX_CLIENTS]),
            rotation: Table::new([0; MAX_CLIENTS]),
            entered: None,
        }
    }

    /// Notes that these clients can notice each other.
    pub(crate) fn connect(&mut self, clients: ClientSet) {
        let all = self.around(clients);
        for client in all.iter() {
            self.of[client] = all;
        }
    }

    /// These clients, and all others in their components.
    pub(crate) fn around(&self, clients: ClientSet) -> ClientSet {
        let (mut all, mut rest) = (ClientSet::EMPTY, clients);
        while let Some(client) = rest.iter().next() {
            all = all.union(self.component(client));
            rest = rest.without(all);
        }
        all
    }

    fn component(&self, client: DomainId) -> ClientSet {
        let mut all = self.of[client];
        all.insert(client);
        all
    }

    /// Those of these clients that are in the component of the first of them.
    pub(crate) fn first_part(&self, clients: ClientSet) -> ClientSet {
        clients.iter().next().map_or(ClientSet::EMPTY, |first| clients.intersection(self.component(first)))
    }

    /// Turns to the component of the first of these clients. Returns those of them that are in it, and the
    /// number of the client with which its round begins.
    pub(crate) fn enter(&mut self, clients: ClientSet) -> (ClientSet, u32) {
        let part = self.first_part(clients);
        self.entered = self.place(part);
        (part, self.entered.map_or(0, |place| self.rotation[place]))
    }

    /// Notes with which client the next round of the component begins that was entered last.
    pub(crate) fn leave(&mut self, rotation: u32) {
        if let Some(place) = self.entered {
            self.rotation[place] = rotation;
        }
    }

    /// The place of the component of these clients, which are of one component: its first member.
    fn place(&self, part: ClientSet) -> Option<DomainId> {
        part.iter().next().and_then(|client| self.component(client).iter().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn set(bits: u32) -> ClientSet {
        ClientSet::of_bits(bits)
    }

    #[test]
    fn whoever_a_chain_connects_is_one_component() {
        let mut components = Components::new();
        // In this order, the last one joins two components that have more than one member.
        for ends in [0b1100, 0b0011, 0b11_0000, 0b0110] {
            components.connect(set(ends));
        }
        assert_eq!(components.around(set(0b1)), set(0b1111));
        assert_eq!(components.around(set(0b1000)), set(0b1111));
        assert_eq!(components.around(set(0b10_0001)), set(0b11_1111));
        assert_eq!(components.around(set(0b100_0000)), set(0b100_0000));
        assert_eq!(components.around(ClientSet::EMPTY), ClientSet::EMPTY);
        assert_eq!(components.first_part(set(0b111_1010)), set(0b1010));
        assert_eq!(components.first_part(ClientSet::EMPTY), ClientSet::EMPTY);
    }

    #[test]
    fn each_component_has_a_rotation() {
        let mut components = Components::new();
        components.connect(set(0b101));
        for (part, rotation) in [(0b100, 3), (0b010, 7), (0, 9)] {
            assert_eq!(components.enter(set(part)), (set(part), 0));
            components.leave(rotation);
        }
        assert_eq!(components.enter(set(0b111)), (set(0b101), 3));
        assert_eq!(components.enter(set(0b010)), (set(0b010), 7));
        assert_eq!(components.enter(ClientSet::EMPTY), (ClientSet::EMPTY, 0));
    }
}
