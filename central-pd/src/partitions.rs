//! Partitions: which clients are served in the same time slots. `engine/partition.rs` says what that means
//! for what central does.

use ferry_layout::DomainId;
use ferry_layout::geometry::MAX_CLIENTS;

use crate::table::{ClientSet, Table};

/// The partitions of a system. Without any, all clients are served whenever central runs.
pub(crate) struct Partitions {
    /// The partition of each client. Empty if there are none.
    of: Table<ClientSet, MAX_CLIENTS>,
    exist: bool,
}

impl Partitions {
    pub(crate) const NONE: Self = Self { of: Table::new([ClientSet::EMPTY; MAX_CLIENTS]), exist: false };

    /// Notes that these clients are the partition of `client`.
    pub(crate) fn put(&mut self, client: DomainId, members: ClientSet) {
        self.of[client] = members;
        self.exist = true;
    }

    /// Whether there are partitions.
    #[inline]
    pub(crate) const fn exist(&self) -> bool {
        self.exist
    }

    /// The partition that these clients are. Nobody if that is not exactly one partition.
    pub(crate) fn announced(&self, clients: ClientSet) -> ClientSet {
        let partition = clients.iter().next().map_or(ClientSet::EMPTY, |first| self.of[first]);
        if partition == clients { partition } else { ClientSet::EMPTY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_partition_can_be_announced() {
        let set = ClientSet::of_bits;
        let mut partitions = Partitions::NONE;
        assert!(!partitions.exist());
        for partition in [set(0b101), set(0b010)] {
            for client in partition.iter() {
                partitions.put(client, partition);
            }
        }
        assert!(partitions.exist());
        assert_eq!(partitions.announced(set(0b101)), set(0b101));
        assert_eq!(partitions.announced(set(0b010)), set(0b010));
        for none in [0b000, 0b111, 0b001, 0b011, 0b1000] {
            assert_eq!(partitions.announced(set(none)), ClientSet::EMPTY, "{none:b}");
        }
    }
}
