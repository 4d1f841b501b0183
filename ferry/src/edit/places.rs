//! What is still free in central: addresses for the two regions of a client that it maps, and the number of a
//! channel.

use super::error::EditError;
use ferry_description::{Draft, MAX_CHANNEL, WINDOW_ADDRESS};

/// Where central maps the clients' regions: from here on, each on a multiple of [`STEP`].
const FIRST_ADDRESS: u64 = 0x2100_0000;
/// Room for one region. `_out`, the larger of the two, takes 0x3000 bytes.
const STEP: u64 = 0x1_0000;

/// What a new client gets in central.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Places {
    /// Address of `_out`.
    pub(crate) out_address: u64,
    /// Address of `_in`.
    pub(crate) in_address: u64,
    /// Number of the channel.
    pub(crate) channel: u8,
}

impl Places {
    /// The lowest free addresses, and the number after the highest channel, or else a lower one that is free.
    pub(crate) fn find(draft: &Draft) -> Result<Self, EditError> {
        let (system, central) = (draft.system(), draft.central());
        let maps = &system.domains[central].maps;
        let range =
            |address: u64, region: usize| (address, address.saturating_add(system.regions[region].bytes));
        let mut taken: Vec<_> = maps.iter().map(|map| range(map.address, map.region)).collect();
        let mut address = || free_address(&mut taken).ok_or(EditError::NoAddress);
        let (out_address, in_address) = (address()?, address()?);
        let [channel] = Self::channels(draft, 1)?.try_into().map_err(|_| EditError::NoChannel)?;
        Ok(Self { out_address, in_address, channel })
    }

    /// The numbers of so many new channels in central: those after the highest one, or else lower ones that
    /// are free.
    pub(super) fn channels(draft: &Draft, count: usize) -> Result<Vec<u8>, EditError> {
        let (system, central) = (draft.system(), draft.central());
        let ends = system.channels.iter().flat_map(|channel| &channel.ends);
        let ends = ends.filter(|end| end.domain == central).map(|end| end.id);
        let interrupts = system.domains[central].interrupts.iter().map(|interrupt| interrupt.id);
        let mut numbers: Vec<u8> = ends.chain(interrupts).collect();
        let mut channel = || {
            let channel = free_channel(&numbers).ok_or(EditError::NoChannel)?;
            numbers.push(channel);
            Ok(channel)
        };
        (0..count).map(|_| channel()).collect()
    }
}

/// A free address below central's window. It is taken then.
fn free_address(taken: &mut Vec<(u64, u64)>) -> Option<u64> {
    let mut start = FIRST_ADDRESS;
    // Each turn passes one range for good, so this ends.
    while let Some((_, end)) = taken.iter().find(|(other, end)| start < *end && *other < start + STEP) {
        start = end.checked_next_multiple_of(STEP).filter(|next| *next < WINDOW_ADDRESS)?;
    }
    taken.push((start, start + STEP));
    Some(start)
}

fn free_channel(taken: &[u8]) -> Option<u8> {
    let after = taken.iter().max().map_or(0, |highest| highest.saturating_add(1));
    (after..=MAX_CHANNEL).chain(0..=MAX_CHANNEL).find(|number| !taken.contains(number))
}

#[cfg(test)]
mod tests {
    use super::{STEP, free_address, free_channel};
    use ferry_description::WINDOW_ADDRESS;

    #[test]
    fn addresses_are_free_and_below_the_window() {
        let mut taken =
            vec![(0x2000_0000, 0x2000_1000), (0x2100_0000, 0x2100_3000), (0x2101_f000, 0x2102_0001)];
        assert_eq!(free_address(&mut taken), Some(0x2103_0000));
        assert_eq!(free_address(&mut taken), Some(0x2104_0000));
        assert_eq!(free_address(&mut vec![(0x2000_0000, WINDOW_ADDRESS)]), None);
        assert_eq!(free_address(&mut vec![(0, u64::MAX)]), None);
        let last = WINDOW_ADDRESS - STEP;
        assert_eq!(free_address(&mut vec![(0x2000_0000, last)]), Some(last));
    }

    #[test]
    fn channels_are_counted_on_and_then_filled_up() {
        assert_eq!(free_channel(&[]), Some(0));
        assert_eq!(free_channel(&[1, 2]), Some(3));
        assert_eq!(free_channel(&[0, 61, 1]), Some(2));
        assert_eq!(free_channel(&(0..62).collect::<Vec<_>>()), None);
    }
}
