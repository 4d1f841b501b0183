//! The meaning of lines on a machine's console.

use ferry_platform::SEPARATOR;

/// A line of the console by who printed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Printed<'a> {
    /// The protection domain that printed it; `None` for the platform.
    pub(crate) domain: Option<&'a str>,
    /// The line without that name.
    pub(crate) text: &'a str,
}

impl<'a> Printed<'a> {
    /// Reads a line.
    pub(crate) fn of(line: &'a str) -> Self {
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        match line.split_once(SEPARATOR) {
            Some((name, text)) if !name.is_empty() && name.bytes().all(in_name) => {
                Self { domain: Some(name), text }
            }
            _ => Self { domain: None, text: line },
        }
    }
}

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
    /// A platform starts a protection domain again.
    Restart {
        /// The protection domain.
        domain: &'a str,
        /// Number of this restart, from 1.
        number: u8,
    },
    /// A platform does not start a protection domain again.
    GivenUp {
        /// The protection domain.
        domain: &'a str,
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
    /// Reads a line. Only the platform reports faults, restarts and the end. Whatever a protection domain
    /// prints, it can report only its own trouble.
    pub(crate) fn of(line: &'a str) -> Self {
        let Printed { domain, text } = Printed::of(line);
        let Some(report) = text.strip_prefix("ferry: ") else { return Self::Other };
        let (what, rest) = report.split_once(' ').unwrap_or((report, ""));
        match (what, domain) {
            ("panic", Some(_)) => Self::Panic,
            ("error", Some(_)) => Self::Trouble,
            (_, Some(_)) => Self::Other,
            (_, None) => Self::of_platform(what, rest),
        }
    }

    fn of_platform(what: &str, rest: &'a str) -> Self {
        match what {
            "fault" => match (word(rest, "domain"), word(rest, "kind")) {
                (Some(domain), Some(kind)) => Self::Fault { domain, kind },
                _ => Self::Trouble,
            },
            "restart" => match (word(rest, "domain"), word(rest, "number").map(str::parse)) {
                (Some(domain), Some(Ok(number))) => Self::Restart { domain, number },
                _ => Self::Trouble,
            },
            "given-up" => word(rest, "domain").map_or(Self::Trouble, |domain| Self::GivenUp { domain }),
            "initialiser:" | "supervisor:" => Self::Trouble,
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
        let restart = Report::Restart { domain, number: 2 }.to_string();
        assert_eq!(Line::of(&restart), Line::Restart { domain, number: 2 });
        assert_eq!(Line::of(&Report::GivenUp { domain }.to_string()), Line::GivenUp { domain });
    }

    #[test]
    fn faults_name_domain_and_kind() {
        let line = "ferry: fault domain=alpha kind=write address=0x1000000000 instruction=0x2013f0";
        assert_eq!(Line::of(line), Line::Fault { domain: "alpha", kind: "write" });
        for damaged in ["ferry: fault damaged", "ferry: restart domain=a number=x", "ferry: given-up"] {
            assert_eq!(Line::of(damaged), Line::Trouble, "{damaged}");
        }
    }

    #[test]
    fn panics_and_errors_are_trouble() {
        assert_eq!(Line::of("sender | ferry: panic at=central.rs:3:5 no buffer"), Line::Panic);
        assert_eq!(Line::of("sender | ferry: error no flow to receiver"), Line::Trouble);
        assert_eq!(Line::of("ferry: initialiser: no memory left"), Line::Trouble);
        assert_eq!(Line::of("sender | ferry: initialiser: no memory left"), Line::Other);
        assert_eq!(Line::of("receiver | received bytes=3 messages=1 sha256=00"), Line::Other);
        assert_eq!(Line::of("Bootstrapping kernel"), Line::Other);
    }

    #[test]
    fn no_domain_can_forge_a_report() {
        for report in [
            Report::Exit { domain: "alpha", code: 0 },
            Report::Fault { domain: "alpha", fault: Fault::PANIC },
        ] {
            assert_eq!(Line::of(&format!("mallory | {report}")), Line::Other);
        }
    }

    #[test]
    fn a_line_tells_who_printed_it() {
        let of = |line| Printed::of(line);
        assert_eq!(of("alpha-1 | a | b"), Printed { domain: Some("alpha-1"), text: "a | b" });
        assert_eq!(of("alpha | "), Printed { domain: Some("alpha"), text: "" });
        for line in [" | x", "two words | x", "alpha |x", "ferry: exit domain=alpha code=0"] {
            assert_eq!(of(line), Printed { domain: None, text: line });
        }
    }

    #[test]
    fn exits_have_a_code() {
        assert_eq!(Line::of("ferry: exit domain=receiver code=0"), Line::Exit { code: 0 });
        assert_eq!(Line::of("ferry: exit domain=receiver code=x"), Line::Trouble);
    }
}
