//! The sources that `ferry add client` writes. They lie in `ferry/templates`. Each is a program that can be
//! compiled as it is, and is called `my_client`.

use crate::c;
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

/// What a client is written in.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, ValueEnum)]
pub(crate) enum Language {
    /// A binary of the project's Cargo package, in src/bin.
    #[default]
    Rust,
    /// A program against ferry.h, in c.
    C,
}

/// The name of the client in a template, and of the guard.
const NAME: &str = "my_client";
const GUARD: &str = "my_guard";

/// Bytes of a buffer that the client uses, and of one that it does not use.
const USED: u64 = 0x4_0000;
const UNUSED: u64 = 0x1000;

impl Template {
    fn text(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Rust, Self::Sender) => include_str!("../templates/sender.rs"),
            (Language::Rust, Self::Receiver) => include_str!("../templates/receiver.rs"),
            (Language::Rust, Self::Echo) => include_str!("../templates/echo.rs"),
            (Language::C, Self::Sender) => include_str!("../templates/sender.c"),
            (Language::C, Self::Receiver) => include_str!("../templates/receiver.c"),
            (Language::C, Self::Echo) => include_str!("../templates/echo.c"),
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

impl Language {
    /// The directory of sources, seen from that of the system description.
    pub(crate) fn directory(self) -> &'static str {
        match self {
            Self::Rust => "src/bin",
            Self::C => c::DIRECTORY,
        }
    }

    /// The extension of a source.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Rust => "rs",
            Self::C => "c",
        }
    }

    /// Whether a program does without floating-point registers on every board. One in C links the SDK's
    /// libmicrokit, which uses them on x86-64.
    pub(crate) fn is_without_fpu(self) -> bool {
        self == Self::Rust
    }
}

/// The source of a client with this name.
pub(crate) fn source(template: Template, language: Language, name: &str) -> String {
    template.text(language).replace(NAME, name)
}

/// The source of a guard with this name.
pub(crate) fn guard(language: Language, name: &str) -> String {
    let text = match language {
        Language::Rust => include_str!("../templates/guard.rs"),
        Language::C => include_str!("../templates/guard.c"),
    };
    text.replace(GUARD, name)
}

/// Whether this text is the source of a client or guard with this name, as a template gives it.
pub(crate) fn is_unchanged(text: &str, language: Language, name: &str) -> bool {
    text == guard(language, name)
        || Template::value_variants().iter().any(|template| text == source(*template, language, name))
}

#[cfg(test)]
mod tests {
    use super::{GUARD, Language, NAME, Template, guard, is_unchanged, source};
    use clap::ValueEnum;

    #[test]
    fn a_source_has_the_name_of_its_client() {
        for template in Template::value_variants() {
            for (language, opening) in [(Language::Rust, "//!"), (Language::C, "//")] {
                let text = source(*template, language, "logger");
                let begins = text.starts_with(&format!("{opening} The client `logger`. "));
                assert!(begins && !text.contains(NAME), "{text}");
                assert!(is_unchanged(&text, language, "logger") && !is_unchanged(&text, language, "other"));
                assert!(!is_unchanged(&format!("{text}\n"), language, "logger"));
            }
            let word = template.to_possible_value().unwrap();
            assert_eq!(word.get_name(), template.word());
        }
    }

    #[test]
    fn the_example_in_c_has_the_templates() {
        for (name, template, text) in [
            ("greeter", Template::Sender, include_str!("../../examples/c/c/greeter.c")),
            ("listener", Template::Receiver, include_str!("../../examples/c/c/listener.c")),
        ] {
            assert_eq!(text, source(template, Language::C, name), "write it again by `ferry new --lang c`");
        }
    }

    #[test]
    fn a_guard_has_its_name() {
        for (language, opening) in [(Language::Rust, "//!"), (Language::C, "//")] {
            let text = guard(language, "form");
            let begins = text.starts_with(&format!("{opening} The guard `form`. "));
            assert!(begins && !text.contains(GUARD), "{text}");
            assert!(is_unchanged(&text, language, "form") && !is_unchanged(&text, language, "other"));
        }
    }
}
