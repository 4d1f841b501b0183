//! Tables and sets whose access cannot fail. An index is masked to the size of the table, so it need not be
//! trusted and cannot cause a panic.

#![expect(clippy::indexing_slicing, reason = "this is the one place that masks")]

use core::ops::{Index, IndexMut};

use ferry_layout::DomainId;
use ferry_layout::geometry::MAX_CLIENTS;

/// Bytes of a cache line, on most processors. What is needed together lies in as few lines as can be: where
/// the caches are cold, each line costs a load from memory. `ferry-bench lines` counts them.
pub(crate) const LINE_BYTES: usize = 64;

/// `N` values (a power of two). The index is taken modulo `N`. For a free-running ring index that is its
/// slot. A number below `N` stays the same.
pub(crate) struct Table<T, const N: usize>([T; N]);

impl<T, const N: usize> Table<T, N> {
    const MASK: usize = {
        assert!(N.is_power_of_two());
        N - 1
    };

    pub(crate) const fn new(values: [T; N]) -> Self {
        Self(values)
    }
}

#[cfg(feature = "express")]
impl<T, const N: usize> Table<T, N> {
    /// The values from this index up to the end of the table.
    #[inline]
    pub(crate) fn run(&self, index: u32) -> &[T] {
        self.0.get(index as usize & Self::MASK..).unwrap_or_default()
    }

    /// As [`run`](Self::run), to change them.
    #[inline]
    pub(crate) fn run_mut(&mut self, index: u32) -> &mut [T] {
        self.0.get_mut(index as usize & Self::MASK..).unwrap_or_default()
    }
}

impl<T, const N: usize> Index<u32> for Table<T, N> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.0[index as usize & Self::MASK]
    }
}

impl<T, const N: usize> IndexMut<u32> for Table<T, N> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.0[index as usize & Self::MASK]
    }
}

impl<T> Index<DomainId> for Table<T, MAX_CLIENTS> {
    type Output = T;
    #[inline]
    fn index(&self, client: DomainId) -> &T {
        &self.0[client.index() & Self::MASK]
    }
}

impl<T> IndexMut<DomainId> for Table<T, MAX_CLIENTS> {
    #[inline]
    fn index_mut(&mut self, client: DomainId) -> &mut T {
        &mut self.0[client.index() & Self::MASK]
    }
}

impl<T> Table<T, MAX_CLIENTS> {
    /// What the table has for several clients, to change it at the same time. `None` if two of them are the
    /// same.
    #[inline]
    pub(crate) fn each_mut<const N: usize>(&mut self, clients: [DomainId; N]) -> Option<[&mut T; N]> {
        self.0.get_disjoint_mut(clients.map(|client| client.index() & Self::MASK)).ok()
    }
}

/// A set of clients.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ClientSet(u32);

impl ClientSet {
    /// No client.
    pub const EMPTY: Self = Self(0);

    /// The first `count` clients.
    #[must_use]
    pub const fn first(count: usize) -> Self {
        const { assert!(MAX_CLIENTS == 32) };
        Self(if count >= 32 { u32::MAX } else { (1 << count) - 1 })
    }

    /// Puts `client` into the set.
    #[inline]
    pub const fn insert(&mut self, client: DomainId) {
        self.0 |= 1 << client.number();
    }

    /// Takes `client` out of the set.
    #[inline]
    pub const fn remove(&mut self, client: DomainId) {
        self.0 &= !(1 << client.number());
    }

    /// Whether `client` is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, client: DomainId) -> bool {
        self.0 & (1 << client.number()) != 0
    }

    /// The set with a member for each bit: client `n` for bit `n`.
    pub(crate) const fn of_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The members as [`of_bits`](Self::of_bits) takes them.
    #[inline]
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The only member. `None` if there is none, or another one.
    #[inline]
    pub(crate) const fn only(self) -> Option<DomainId> {
        #[expect(clippy::cast_possible_truncation, reason = "a bit of a word of 32")]
        if self.0.is_power_of_two() { DomainId::new(self.0.trailing_zeros() as u16) } else { None }
    }

    /// Number of members.
    pub(crate) const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether the set is empty.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The clients that are in either set.
    #[must_use]
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The clients of this set that are not in `other`.
    #[must_use]
    #[inline]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The clients that are in both sets.
    #[must_use]
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Each member once, in the order of their numbers, beginning with `first` or the next member after it.
    /// The order wraps round.
    #[inline]
    pub fn from(self, first: u32) -> impl Iterator<Item = DomainId> + use<> {
        let start = first % 32;
        let mut rest = self.0.rotate_right(start);
        core::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let step = rest.trailing_zeros();
            rest &= rest - 1;
            DomainId::new(((start + step) % 32) as u16)
        })
    }

    /// The members in the order of their numbers.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = DomainId> + use<> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let number = rest.trailing_zeros();
            rest &= rest - 1;
            #[expect(clippy::cast_possible_truncation, reason = "a bit of a word of 32")]
            DomainId::new(number as u16)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn a_client_set_is_walked_round_from_any_member() {
        let mut set = ClientSet::EMPTY;
        for number in [1, 5, 31] {
            set.insert(DomainId::new(number).unwrap());
        }
        let order = |first| set.from(first).map(DomainId::number).collect::<Vec<_>>();
        assert_eq!(order(0), [1, 5, 31]);
        assert_eq!(order(5), [5, 31, 1]);
        assert_eq!(order(6), [31, 1, 5]);
        assert_eq!(ClientSet::first(32), ClientSet(u32::MAX));
        assert_eq!(ClientSet::first(2), ClientSet(3));
        assert_eq!((set.only(), ClientSet::EMPTY.only()), (None, None));
        assert_eq!(ClientSet(1 << 31).only(), DomainId::new(31));
        assert_eq!((set.bits(), ClientSet::of_bits(set.bits())), (1 << 1 | 1 << 5 | 1 << 31, set));
    }

    #[test]
    fn only_different_clients_can_be_changed_at_the_same_time() {
        let client = |number| DomainId::new(number).unwrap();
        let mut table = Table::<u32, MAX_CLIENTS>::new([0; MAX_CLIENTS]);
        let [third, first] = table.each_mut([client(3), client(1)]).unwrap();
        (*third, *first) = (3, 1);
        assert_eq!([table[client(1)], table[client(3)]], [1, 3]);
        assert!(table.each_mut([client(3), client(1), client(3)]).is_none());
    }
}
