//! The filter for lines of a log of `examples/filters`: whatever the bytes, it has one verdict, and does not
//! panic.

#![no_main]

ferry_guard_check::fuzz!(ferry_example_filters::syslog::Syslog);
