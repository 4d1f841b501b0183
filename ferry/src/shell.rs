//! Displays a command as a line for a shell.

use std::ffi::OsStr;
use std::fmt;
use std::process::Command;

/// The program and the arguments of a command, quoted so that a shell runs exactly this command.
pub(crate) struct Line<'a>(pub(crate) &'a Command);

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = self.0.get_current_dir() {
            write!(formatter, "cd {} && ", quoted(directory.as_os_str()))?;
        }
        formatter.write_str(&quoted(self.0.get_program()))?;
        self.0.get_args().try_for_each(|argument| write!(formatter, " {}", quoted(argument)))
    }
}

/// A word, quoted so that a shell reads exactly this word.
pub(crate) fn quoted(word: &OsStr) -> String {
    // A name that is not UTF-8 is shown with replacement characters. The line is then wrong for a shell.
    let word = word.to_string_lossy();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./,=:+@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::Line;
    use std::process::Command;

    #[test]
    fn a_shell_reads_the_command_that_was_meant() {
        let words = ["plain-word=1,2:3", "", "two words", "it's", "$HOME", "a\"b\\c", "*", "~", "line\nend"];
        let mut command = Command::new("printf");
        command.arg("%s\\0").args(words);
        let output = Command::new("sh").args(["-c", &Line(&command).to_string()]).output().unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), words.map(|word| format!("{word}\0")).concat());
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        let mut command = Command::new("qemu-system-x86_64");
        command.args([
            "-device",
            "isa-debug-exit,iobase=0xf4,iosize=0x4",
            "-initrd",
            "build/image/system.elf",
        ]);
        let line =
            "qemu-system-x86_64 -device isa-debug-exit,iobase=0xf4,iosize=0x4 -initrd build/image/system.elf";
        assert_eq!(Line(&command).to_string(), line);
    }
}
