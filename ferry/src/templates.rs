//! The sources that `ferry add client` writes. They lie in `ferry/templates`. Each is a program that can be
//! compiled as it is, and is called `my_client`.

use clap::ValueEnum;

/// What a new client does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Template {
    /// Sends one message to each client that it may send to.
    Sender,
    /// Prints the length of each message that it receives.
    Receiver,
    /// Sends each message back to the client that it came from.
    Echo,
}

/// The name of the client in a template.
const NAME: &str = "my_client";

/// Bytes of a buffer that the client uses, and of one that it does not use.
const USED: u64 = 0x4_0000;
const UNUSED: u64 = 0x1000;

impl Template {
    fn text(self) -> &'static str {
        match self {
            Self::Sender => include_str!("../templates/sender.rs"),
            Self::Receiver => include_str!("../templates/receiver.rs"),
            Self::Echo => include_str!("../templates/echo.rs"),
        }
    }

    /// The word on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Receiver => "receiver",
            Self::Echo => "echo",
        }
    }

    /// Sizes in bytes of the regions `_tx` and `_rx`.
    pub(crate) fn buffers(self) -> [u64; 2] {
        match self {
            Self::Sender => [USED, UNUSED],
            Self::Receiver => [UNUSED, USED],
            Self::Echo => [USED, USED],
        }
    }
}

/// The source of a client with this name.
pub(crate) fn source(template: Template, name: &str) -> String {
    template.text().replace(NAME, name)
}

/// Whether this text is the source of a client with this name, as a template gives it.
pub(crate) fn is_unchanged(text: &str, name: &str) -> bool {
    Template::value_variants().iter().any(|template| text == source(*template, name))
}

#[cfg(test)]
mod tests {
    use super::{NAME, Template, is_unchanged, source};
    use clap::ValueEnum;

    #[test]
    fn a_source_has_the_name_of_its_client() {
        for template in Template::value_variants() {
            let text = source(*template, "logger");
            assert!(text.starts_with("//! The client `logger`. ") && !text.contains(NAME), "{text}");
            assert!(is_unchanged(&text, "logger") && !is_unchanged(&text, "other"));
            assert!(!is_unchanged(&format!("{text}\n"), "logger"));
            let word = template.to_possible_value().unwrap();
            assert_eq!(word.get_name(), template.word());
        }
    }
}
