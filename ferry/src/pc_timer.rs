//! In which turns the processors of an emulated PC run so that its kernel finds its timer.
//!
//! While each processor starts, the kernel measures two of its clocks, and keeps their ratio, rounded down.
//! QEMU runs both at 1 GHz. Where processors take turns, it depends on where turns end whether the kernel
//! finds 1 or 0. With 0 no timer is ever set, and the system stands still as soon as all processors wait.
//! About half of all lengths of turns are like that, and which ones depends on the image.
//!
//! Such a boot depends on nothing but its files. So the same boot is begun once before, and ended when all
//! processors have started, to read from memory what the kernel has found.

use crate::cores::Share;
use crate::file::{self, FileError};
use ferry_boards::Processors;
use object::{Object, ObjectSymbol};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Time in which all processors start. It takes a second or two where nothing else runs.
const LIMIT: Duration = Duration::from_mins(1);
/// How often the emulator is asked whether they have.
const PAUSE: Duration = Duration::from_millis(50);
/// Where the kernel's addresses begin. It is loaded at the beginning of memory.
const KERNEL_BASE: u64 = 0x8000_0000;

/// Why there are no turns with which a PC can be booted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TimerError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {cause}", path.display())]
    NoElf { path: PathBuf, cause: object::Error },
    #[error("{}: this is no kernel for several cores: it has no variable `{variable}`", path.display())]
    NoVariable { path: PathBuf, variable: &'static str },
    #[error("the emulator did not say what the kernel has found of its timer: {0}")]
    Emulator(#[from] io::Error),
    #[error("the processors of the emulator did not start within {} s", LIMIT.as_secs())]
    TooLate,
    #[error(
        "the kernel did not find its timer with any turns of the emulator's processors, of {} lengths from {first} \
         to {last} µs; boot on a machine with more than {number} processors, where they run at the same time",
        tried
    )]
    NoTimer { tried: usize, first: u16, last: u16, number: u8 },
}

/// The kernel's variables that tell, by their physical addresses.
struct Variables {
    /// Zero before the first processor has measured its clocks.
    clock_rate: u64,
    /// The number of the processor that starts, as long as one does. Other things may be there afterwards.
    starting: u64,
    /// Zero if no timer was found.
    ratio: u64,
}

impl Variables {
    fn of(kernel: &Path) -> Result<Self, TimerError> {
        let contents = fs::read(kernel).map_err(file::failed("read", kernel))?;
        let elf = object::File::parse(contents.as_slice())
            .map_err(|cause| TimerError::NoElf { path: kernel.to_owned(), cause })?;
        let address = |variable: &'static str| {
            let symbol = elf.symbol_by_name(variable).map(|symbol| symbol.address() & (KERNEL_BASE - 1));
            symbol.ok_or_else(|| TimerError::NoVariable { path: kernel.to_owned(), variable })
        };
        Ok(Self {
            clock_rate: address("x86KStscMhz")?,
            starting: address("smp_aps_index")?,
            ratio: address("x86KSapicRatio")?,
        })
    }
}

/// The first of these lengths of a round of turns, in microseconds and in order, with which the kernel finds
/// its timer.
/// `boot` is the command that boots with turns of a length.
pub(crate) fn round(
    kernel: &Path,
    number: u8,
    lengths: &[u16],
    boot: impl Fn(u16) -> Command,
) -> Result<u16, TimerError> {
    let variables = Variables::of(kernel)?;
    for &round in lengths {
        let _share = Share::take(Processors::InTurns { number, round });
        if Probe::begin(&boot(round))?.finds_timer(&variables, number)? {
            return Ok(round);
        }
    }
    let end = |length: Option<&u16>| length.copied().unwrap_or_default();
    let (first, last) = (end(lengths.first()), end(lengths.last()));
    Err(TimerError::NoTimer { tried: lengths.len(), first, last, number })
}

/// A boot that is only begun.
struct Probe {
    emulator: Child,
    monitor: UnixStream,
}

impl Probe {
    fn begin(boot: &Command) -> io::Result<Self> {
        // The emulator inherits its end of the monitor's connection as its standard input and output.
        let (monitor, end) = UnixStream::pair()?;
        monitor.set_read_timeout(Some(LIMIT))?;
        let mut command = Command::new(boot.get_program());
        command.args(with_monitor(boot.get_args()));
        if let Some(directory) = boot.get_current_dir() {
            command.current_dir(directory);
        }
        let input = std::os::fd::OwnedFd::from(end.try_clone()?);
        command.stdin(input).stdout(std::os::fd::OwnedFd::from(end)).stderr(Stdio::null());
        Ok(Self { emulator: command.spawn()?, monitor })
    }

    /// Waits until all processors have started. Returns whether the kernel has found its timer.
    fn finds_timer(mut self, variables: &Variables, number: u8) -> Result<bool, TimerError> {
        let begun = Instant::now();
        // The monitor's greeting ends like an answer.
        self.answer()?;
        while begun.elapsed() < LIMIT {
            let has_measured = self.read(variables.clock_rate)? != 0;
            if has_measured && !(1..u64::from(number)).contains(&self.read(variables.starting)?) {
                return Ok(self.read(variables.ratio)? != 0);
            }
            thread::sleep(PAUSE);
        }
        Err(TimerError::TooLate)
    }

    /// Reads a word of 32 bits of the emulated memory.
    fn read(&mut self, address: u64) -> io::Result<u64> {
        writeln!(self.monitor, "xp /1wu {address:#x}")?;
        let answer = self.answer()?;
        word(&answer).ok_or_else(|| io::Error::other(format!("`{}`", answer.trim())))
    }

    /// What the monitor says up to its next prompt.
    fn answer(&mut self) -> io::Result<String> {
        const PROMPT: &[u8] = b"(qemu) ";
        let mut said = Vec::new();
        let mut byte = [0];
        while !said.ends_with(PROMPT) {
            self.monitor.read_exact(&mut byte)?;
            said.push(byte[0]);
        }
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

/// The arguments with the emulator's monitor in place of the console.
fn with_monitor<'a>(arguments: impl Iterator<Item = &'a OsStr>) -> Vec<&'a OsStr> {
    let mut all: Vec<&OsStr> = arguments.collect();
    for (option, value) in [("-monitor", "stdio"), ("-serial", "null")] {
        if let Some(place) = all.iter().position(|argument| *argument == option) {
            all[place + 1] = OsStr::new(value);
        }
    }
    all
}

/// The word in the monitor's answer: `xp …`, then a line like `0000000000a250a0:          1`.
fn word(answer: &str) -> Option<u64> {
    answer.lines().rev().find_map(|line| {
        let (address, word) = line.split_once(": ")?;
        u64::from_str_radix(address.trim(), 16).ok()?;
        word.trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{TimerError, round, with_monitor, word};
    use object::write::{Object, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, SymbolFlags, SymbolKind, SymbolScope};
    use std::ffi::OsStr;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn the_word_is_the_one_behind_the_address() {
        let answer = "xp /1wu 0xa250a0\r\n0000000000a250a0:          1\r\n(qemu) ";
        assert_eq!(word(answer), Some(1));
        assert_eq!(word(&answer.replace("         1", "       999")), Some(999));
        for wrong in ["", "(qemu) ", "xp /1wu 0xa250a0\r\nunknown command: 'xp'\r\n(qemu) "] {
            assert_eq!(word(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_monitor_takes_the_place_of_the_console() {
        let boot = ["-m", "1024M", "-monitor", "none", "-serial", "stdio", "-no-reboot"].map(OsStr::new);
        let probe = ["-m", "1024M", "-monitor", "stdio", "-serial", "null", "-no-reboot"].map(OsStr::new);
        assert_eq!(with_monitor(boot.into_iter()), probe);
    }

    /// What an emulator would say of a kernel that finds its timer with turns of `$1` only if that is 75. The
    /// clocks are measured when it is asked for the second time, and the last core has started at the third.
    const EMULATOR: &str = r#"
        printf '(qemu) '
        asked=0
        while read -r _ _ address; do
            case $address in
                0x1000) asked=$((asked + 1)); value=$((asked > 1 ? 999 : 0));;
                0x2000) value=$((asked > 2 ? 2 : 1));;
                0x3000) value=$(($1 == 75 && asked > 2));;
            esac
            printf 'xp\r\n%s: %s\r\n(qemu) ' "${address#0x}" "$value"
        done"#;

    fn kernel(path: &Path, variables: &[(&str, u64)]) {
        let mut elf = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        for (name, value) in variables {
            elf.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: *value,
                size: 4,
                kind: SymbolKind::Data,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Absolute,
                flags: SymbolFlags::None,
            });
        }
        fs::write(path, elf.write().unwrap()).unwrap();
    }

    #[test]
    fn turns_with_which_the_kernel_does_not_find_its_timer_are_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kernel");
        let all =
            [("x86KStscMhz", 0x8000_1000), ("smp_aps_index", 0x8000_2000), ("x86KSapicRatio", 0x8000_3000)];
        kernel(&path, &all);
        let boot = |script: &'static str| {
            move |round: u16| {
                let mut command = Command::new("sh");
                command.args(["-c", script, "emulator"]).arg(round.to_string());
                command
            }
        };
        assert_eq!(round(&path, 2, &[50, 625, 75, 100], boot(EMULATOR)).unwrap(), 75);
        let none = round(&path, 2, &[50, 625], boot(EMULATOR)).unwrap_err();
        assert!(none.to_string().contains("of 2 lengths from 50 to 625 µs; boot on a machine"), "{none}");
        let ended = round(&path, 2, &[50], boot("exit 1")).unwrap_err();
        assert!(matches!(ended, TimerError::Emulator(_)), "{ended}");
        kernel(&path, &all[..2]);
        let other = round(&path, 2, &[50], boot(EMULATOR)).unwrap_err().to_string();
        assert!(other.ends_with("it has no variable `x86KSapicRatio`"), "{other}");
    }
}
