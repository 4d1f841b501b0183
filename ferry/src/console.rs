//! The meaning of lines on a machine's console.

/// A line, as far as the command line understands it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Line<'a> {
    /// A platform reports that a protection domain did something that it may not do, or that it panicked.
    Fault {
        /// The protection domain.
        domain: &'a str,
        /// The kind of fault: `read`, `write`, …
        kind: &'a str,
    },
    /// The message of a protection domain that panics. A fault of the kind `panic` follows.
    Panic,
    /// A report that something went wrong: an error of a protection domain, or a refusal by the initialiser
    /// or the supervisor. Also a report that cannot be read.
    Trouble,
    /// A protection domain ended the machine.
    Exit {
        /// The code that it ended with.
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

/// The value of `name=value` in a report.
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
        // A restart and a domain that is given up are no trouble by themselves. The report of the fault
        // before them is what counts.
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
