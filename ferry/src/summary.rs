//! What a run of the demo reports: the receiver's line, and central's counters for each client.

use crate::console::word;
use std::fmt;
use std::time::Duration;

/// What the receiver reports that it received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Received {
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    pub(crate) sha256: String,
}

/// Central's counters, added up over all clients.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Counters {
    maps: u64,
    unmaps: u64,
    signals: u64,
}

/// The summary of a run in a few lines.
pub(crate) struct Summary<'a> {
    pub(crate) input: &'a str,
    pub(crate) received: &'a Received,
    pub(crate) counters: Counters,
    pub(crate) duration: Duration,
}

impl Received {
    /// Reads the receiver's line. None if it is missing or damaged.
    pub(crate) fn of(console: &[String]) -> Option<Self> {
        let report = console.iter().find_map(|line| line.strip_prefix("ferry: received "))?;
        let number = |name| word(report, name)?.parse().ok();
        let sha256 = word(report, "sha256")?.to_owned();
        Some(Self { bytes: number("bytes")?, messages: number("messages")?, sha256 })
    }
}

impl Counters {
    /// Adds up the counters that the clients report.
    pub(crate) fn of(console: &[String]) -> Self {
        let mut sum = Self::default();
        for report in console.iter().filter_map(|line| line.strip_prefix("ferry: counters ")) {
            let number = |name| word(report, name).and_then(|value| value.parse().ok()).unwrap_or(0_u64);
            sum.maps += number("maps");
            sum.unmaps += number("unmaps");
            sum.signals += number("signals");
        }
        sum
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Received { bytes, messages, sha256 } = self.received;
        let Counters { maps, unmaps, signals } = self.counters;
        writeln!(formatter, "{} crossed from sender to receiver through central", self.input)?;
        writeln!(formatter, "  bytes     {bytes}")?;
        writeln!(formatter, "  messages  {messages}")?;
        writeln!(formatter, "  maps      {maps}")?;
        writeln!(formatter, "  unmaps    {unmaps}")?;
        writeln!(formatter, "  signals   {signals}")?;
        writeln!(formatter, "  sha256    {sha256}, the same on both sides")?;
        write!(formatter, "  seconds   {:.2} from power-on to power-off", self.duration.as_secs_f32())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receivers_line_and_all_counters_are_read() {
        let console = [
            "ferry: counters domain=sender sent_messages=3 sent_bytes=9 maps=4 unmaps=4 signals=2",
            "ferry: received bytes=9 messages=3 sha256=ab",
            "ferry: counters domain=receiver sent_messages=0 maps=5 unmaps=5 signals=1",
        ]
        .map(str::to_owned);
        let received = Received { bytes: 9, messages: 3, sha256: "ab".into() };
        assert_eq!(Received::of(&console), Some(received));
        assert_eq!(Counters::of(&console), Counters { maps: 9, unmaps: 9, signals: 3 });
    }

    #[test]
    fn a_damaged_line_is_none() {
        assert_eq!(Received::of(&["ferry: received bytes=9 messages=".to_owned()]), None);
    }
}
