//! The guard of lines of a log.

#![no_std]
#![no_main]

use ferry_example_filters::syslog::Syslog;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_guard::start!(Syslog)
}
