//! Finds what is free, for remedies: an address for a region, a number for a channel.

use crate::limits::{LARGE_PAGE_BYTES, MAX_CHANNEL};

/// Where proposed addresses begin. Programs are linked below.
const FIRST_ADDRESS: u64 = 0x2000_0000;

/// The lowest address from [`FIRST_ADDRESS`] on at which `bytes` overlap none of `taken`, which are ranges
/// from their first address to the one after their last. The address is then taken too.
pub(crate) fn address(taken: &mut Vec<(u64, u64)>, bytes: u64) -> u64 {
    let mut start = FIRST_ADDRESS;
    // Each step passes one range for good, so this ends.
    while let Some((_, end)) =
        taken.iter().find(|(other, end)| start < *end && *other < start.saturating_add(bytes))
    {
        let Some(next) = end.checked_next_multiple_of(LARGE_PAGE_BYTES) else { break };
        start = next;
    }
    taken.push((start, start.saturating_add(bytes)));
    start
}

/// The lowest number of a channel that is none of `taken`.
pub(crate) fn number(taken: &[u8]) -> Option<u8> {
    (0..=MAX_CHANNEL).find(|number| !taken.contains(number))
}

#[cfg(test)]
mod tests {
    use super::{address, number};

    #[test]
    fn proposals_overlap_nothing_and_each_other() {
        let mut taken = vec![(0x2000_0000, 0x2000_3000), (0x2040_0000, 0x2041_0000)];
        assert_eq!(address(&mut taken, 0x1000), 0x2020_0000);
        assert_eq!(address(&mut taken, 0x20_1000), 0x2060_0000);
        // Ranges may lie side by side.
        let mut taken = vec![(0x2000_0000, 0x2020_0000), (0x2040_0000, 0x2041_0000)];
        assert_eq!(address(&mut taken, 0x20_0000), 0x2020_0000);
        assert_eq!(number(&[0, 1, 3]), Some(2));
        assert_eq!(number(&(0..62).collect::<Vec<_>>()), None);
    }
}
