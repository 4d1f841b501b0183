//! What the lines on a machine's console mean.

/// A line that the runner understands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Line<'a> {
    /// A protection domain did what it may not, or panicked.
    Fault {
        /// Which one.
        domain: &'a str,
        /// What it tried: `read`, `write`, …
        kind: &'a str,
    },
    /// What a protection domain says when it panics. A fault of the kind `panic` follows.
    Panic,
    /// Something went wrong that its author reports: an error, a refusal by the initialiser.
    Trouble,
    /// A protection domain ends the machine.
    Exit {
        /// With this code.
        code: u8,
    },
    /// Anything else.
    Other,
}

impl<'a> Line<'a> {
    /// Reads a line.
    pub(crate) fn of(line: &'a str) -> Self {
        let Some(report) = line.strip_prefix("ferry: ") else { return Self::Other };
        let (what, rest) = report.split_once(' ').unwrap_or((report, ""));
        match what {
            "fault" => match (word(rest, "domain"), word(rest, "kind")) {
                (Some(domain), Some(kind)) => Self::Fault { domain, kind },
                _ => Self::Trouble,
            },
            "panic" | "panicked" => Self::Panic,
            "error" | "initialiser:" | "supervisor:" => Self::Trouble,
            "exit" => match word(rest, "code").map(str::parse) {
                Some(Ok(code)) => Self::Exit { code },
                _ => Self::Trouble,
            },
            _ => Self::Other,
        }
    }
}

/// The value behind `name=` in a report.
pub(crate) fn word<'a>(report: &'a str, name: &str) -> Option<&'a str> {
    report.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferry_platform::{Fault, FaultKind, Report};

    #[test]
    fn every_report_of_a_platform_is_understood() {
        let domain = "alpha";
        for kind in FaultKind::ALL {
            let fault = Fault { kind, address: 0x10_0000_0000, instruction: 0x20_13f0 };
            let line = Report::Fault { domain, fault }.to_string();
            assert_eq!(Line::of(&line), Line::Fault { domain, kind: kind.name() }, "{line}");
        }
        for code in [0, 1, u8::MAX] {
            assert_eq!(Line::of(&Report::Exit { domain, code }.to_string()), Line::Exit { code });
        }
        // The fault before them is what counts.
        for report in [Report::Restart { domain, number: 1 }, Report::GivenUp { domain }] {
            assert_eq!(Line::of(&report.to_string()), Line::Other, "{report}");
        }
    }

    #[test]
    fn faults_name_domain_and_kind() {
        let line = "ferry: fault domain=alpha kind=write address=0x1000000000 instruction=0x2013f0";
        assert_eq!(Line::of(line), Line::Fault { domain: "alpha", kind: "write" });
        assert_eq!(Line::of("ferry: fault damaged"), Line::Trouble);
    }

    #[test]
    fn panics_and_errors_are_trouble() {
        assert_eq!(Line::of("ferry: panicked at central.rs:3:5:"), Line::Panic);
        assert_eq!(Line::of("ferry: panic domain=sender no buffer"), Line::Panic);
        assert_eq!(Line::of("ferry: error domain=sender no flow to receiver"), Line::Trouble);
        assert_eq!(Line::of("ferry: initialiser: no memory left"), Line::Trouble);
        assert_eq!(Line::of("ferry: received bytes=3 messages=1 sha256=00"), Line::Other);
        assert_eq!(Line::of("Bootstrapping kernel"), Line::Other);
    }

    #[test]
    fn exits_have_a_code() {
        assert_eq!(Line::of("ferry: exit domain=receiver code=0"), Line::Exit { code: 0 });
        assert_eq!(Line::of("ferry: exit domain=receiver code=x"), Line::Trouble);
    }
}
