//! What a platform says about its protection domains on the console, in one line each. The program that
//! supervises the domains (the initialiser, the supervisor or the launcher) prints a [`Report`], and the
//! command line reads it back.

use crate::fault::Fault;
use core::fmt;

/// A line about a protection domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report<'a> {
    /// It has faulted.
    Fault {
        /// Its name.
        domain: &'a str,
        /// What kind of fault, and where.
        fault: Fault,
    },
    /// It is started again after a fault.
    Restart {
        /// Its name.
        domain: &'a str,
        /// The number of this restart; the first is 1.
        number: u8,
    },
    /// It has faulted after its last permitted restart, and stays stopped.
    GivenUp {
        /// Its name.
        domain: &'a str,
    },
    /// It ends the system.
    Exit {
        /// Its name.
        domain: &'a str,
        /// The code with which it ends the system.
        code: u8,
    },
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault { domain, fault } => write!(formatter, "ferry: fault domain={domain} {fault}"),
            Self::Restart { domain, number } => {
                write!(formatter, "ferry: restart domain={domain} number={number}")
            }
            Self::GivenUp { domain } => write!(formatter, "ferry: given-up domain={domain}"),
            Self::Exit { domain, code } => write!(formatter, "ferry: exit domain={domain} code={code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Report;
    use crate::fault::Fault;
    use std::string::ToString;

    #[test]
    fn each_report_is_one_line_that_names_the_domain() {
        let domain = "alpha";
        let fault = Fault::PANIC;
        let lines = [
            (
                Report::Fault { domain, fault },
                "ferry: fault domain=alpha kind=panic address=0x0 instruction=0x0",
            ),
            (Report::Restart { domain, number: 2 }, "ferry: restart domain=alpha number=2"),
            (Report::GivenUp { domain }, "ferry: given-up domain=alpha"),
            (Report::Exit { domain, code: 7 }, "ferry: exit domain=alpha code=7"),
        ];
        for (report, line) in lines {
            assert_eq!(report.to_string(), line);
        }
    }
}
