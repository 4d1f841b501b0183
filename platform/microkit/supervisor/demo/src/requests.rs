//! The requests of protection domains: to print, to end the machine, to be stopped after a panic.

use core::fmt::Write;

use ferry_platform::Report;
use runtime::supervisor::{EXIT, PRINT, STOP, WORD};
use sel4_microkit::{MessageInfo, get_mr, with_msg_bytes};

use supervisor::console::{self, Console};
use supervisor::domains::Name;
use supervisor::{Requests, Wish, report};

use crate::exit;

/// Bytes of text that one request can have; a message has no more.
const TEXT: usize = 119 * WORD;

/// What serves the requests.
pub(crate) struct Served {
    console: ferry_platform::Console,
}

impl Requests for Served {
    fn serve(&mut self, number: usize, message: &MessageInfo) -> Wish {
        match message.label() {
            PRINT => self.print(number, message.count()),
            EXIT if message.count() > 0 => self.exit(number, get_mr(0)),
            STOP => return Wish::Stop,
            label => {
                self.end_line();
                let name = Name::of(number);
                let name = name.as_str();
                let _ = writeln!(Console, "ferry: supervisor: {name}: unknown request {label}, ignored");
            }
        }
        Wish::Nothing
    }

    fn end_line(&mut self) {
        self.console.end_line(&mut console::put);
    }
}

impl Served {
    pub(crate) const fn new() -> Self {
        Self { console: ferry_platform::Console::new() }
    }

    fn print(&mut self, number: usize, words: usize) {
        // The text is copied out first, because on x86-64 printing needs the IPC buffer itself.
        let mut text = [0; TEXT];
        let length = with_msg_bytes(|message| {
            let (length, rest) = message.split_first_chunk()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let length = length.min(words.saturating_sub(1) * WORD).min(rest.len()).min(TEXT);
            text[..length].copy_from_slice(&rest[..length]);
            Some(length)
        });
        let (name, text) = (Name::of(number), &text[..length.unwrap_or(0)]);
        self.console.print(number, name.as_str(), text, &mut console::put);
    }

    fn exit(&mut self, number: usize, code: u64) {
        let code = u8::try_from(code).unwrap_or(u8::MAX);
        self.end_line();
        report(Report::Exit { domain: Name::of(number).as_str(), code });
        exit::exit(code);
    }
}
