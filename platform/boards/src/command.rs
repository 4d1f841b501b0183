//! The command that starts a board's emulator. QEMU's options are here, so whoever boots a board need not
//! know them.

use crate::{Board, Emulator, Exit, Form};
use std::borrow::ToOwned;
use std::ffi::OsString;
use std::format;
use std::path::Path;
use std::process::Command;
use std::string::String;

/// Where processors take turns, each instruction takes 16 ns of the emulated clock. A processor that waits
/// for another wastes its turn, so turns should be of few instructions.
const TURN_SHIFT: &str = "shift=4,sleep=off";

/// The processors of an emulated board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Processors {
    /// One.
    One,
    /// So many, each of which is a thread of the emulator. They really run at the same time. The host must
    /// have as many: the kernel has one lock, which cores take in turn, so all wait for a core that the host
    /// does not run.
    AtTheSameTime(u8),
    /// So many, which take turns of some hundred instructions. Nothing depends on the host, so each boot is
    /// like the other.
    ///
    /// A PC's kernel then needs turns of the right length. While the last processor starts, it measures two
    /// of its clocks, and the kernel keeps their ratio, rounded down. Both run at 1 GHz, and it depends on
    /// where turns end whether the ratio is 1 or 0. With 0 no timer is ever set. `ferry` tries which lengths
    /// will do for an image (`ferry/src/pc_timer.rs`).
    InTurns {
        /// How many.
        number: u8,
        /// In how many microseconds of the emulated clock all of them have had their turn.
        round: u16,
    },
}

/// The files to boot.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The kernel as a 32-bit ELF file, for boards whose emulator loads kernel and image separately.
    pub kernel: &'a Path,
    /// The image.
    pub image: &'a Path,
}

impl Board {
    /// The command with which this emulator, which is the board's, boots the files. Its standard output is
    /// the console. The emulated board has `more_mebibytes` MiB more memory than its entry says, and these
    /// processors.
    #[must_use]
    pub fn emulate(
        &self,
        emulator: &Emulator,
        files: Files<'_>,
        more_mebibytes: u64,
        processors: Processors,
    ) -> Command {
        let mut command = Command::new(emulator.program);
        command.args(emulator.machine);
        command.args(["-m", &format!("{}M", emulator.mebibytes + more_mebibytes)]);
        match self.architecture.form {
            Form::Raw => {
                let address = emulator.address;
                let mut loader = OsString::from(format!("loader,addr={address:#x},cpu-num=0,file="));
                loader.push(doubled(files.image));
                command.arg("-device").arg(loader);
            }
            Form::Multiboot => {
                multiboot(&mut command, files);
            }
            Form::Uboot => {
                command.arg("-kernel").arg(files.image);
            }
        }
        if self.exit == Some(Exit::DebugExit) {
            let (port, ports) = (Exit::DEBUG_EXIT_PORT, Exit::DEBUG_EXIT_PORTS);
            let device = format!("isa-debug-exit,iobase={port:#x},iosize={ports:#x}");
            command.args(["-device", &device]);
        }
        match processors {
            Processors::One => {
                command.args(["-accel", "tcg"]);
            }
            Processors::AtTheSameTime(number) => {
                command.args(["-smp", &format!("{number}"), "-accel", "tcg,thread=multi"]);
            }
            Processors::InTurns { number, round } => {
                command.args(["-smp", &format!("{number}"), "-accel", "tcg,thread=single"]);
                command.args(["-icount", TURN_SHIFT]);
                // QEMU goes on to the next processor when its next timer is due. Without a timer that would
                // be seconds. A buffer of packets has one, and an interval that can be chosen. The network is
                // one that nobody is connected to.
                let timer = format!("filter-buffer,id=turn,netdev=turns,interval={round}");
                command.args(["-netdev", "hubport,id=turns,hubid=0", "-object", &timer]);
            }
        }
        command.args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"]);
        command
    }

    /// How many processors its emulator must have, if protection domains run on the cores up to
    /// `highest_core`, and the kernel on one core or on several.
    #[must_use]
    pub fn processors(&self, several_cores: bool, highest_core: u8) -> u8 {
        let counts = self.emulator.is_some_and(|emulator| emulator.counts_processors);
        match (several_cores, counts) {
            (false, _) => 1,
            // With one processor nothing would show that there are several.
            (true, true) => highest_core.saturating_add(1).max(2),
            (true, false) => self.cores,
        }
    }
}

/// Loads a kernel and its module. QEMU takes a blank in the module's path to be the end of it, so it is
/// started where the module lies if the path has one.
fn multiboot(command: &mut Command, Files { kernel, image }: Files<'_>) {
    let has_blank = image.to_string_lossy().contains(' ');
    match (image.parent(), image.file_name()) {
        (Some(directory), Some(name)) if has_blank => {
            let kernel = std::path::absolute(kernel).unwrap_or_else(|_| kernel.to_owned());
            command.current_dir(directory).arg("-kernel").arg(kernel);
            command.arg("-initrd").arg(doubled(Path::new(name)));
        }
        _ => {
            command.arg("-kernel").arg(kernel).arg("-initrd").arg(doubled(image));
        }
    }
}

/// A path as a value of an option of QEMU, which takes a single comma to be the end of the value.
fn doubled(path: &Path) -> OsString {
    match path.to_str() {
        Some(text) => text.replace(',', ",,").into(),
        None => path.into(),
    }
}

impl Emulator {
    /// The options that make it count instructions, so that nothing depends on the speed of the host.
    #[must_use]
    pub fn counting(&self) -> [String; 2] {
        ["-icount".to_owned(), format!("shift={},sleep=off", self.clock_shift)]
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, Processors};
    use crate::{Board, Form, MICROKIT, PC99};
    use std::path::Path;
    use std::string::String;
    use std::vec::Vec;

    #[test]
    fn every_path_reaches_the_emulator_whole() {
        let files = Files { kernel: Path::new("/a b/kernel"), image: Path::new("/a b/c,d/image,1") };
        for board in MICROKIT.iter().chain([&PC99]) {
            let command = board.emulate(board.emulator.unwrap(), files, 0, Processors::One);
            let words: Vec<String> = command.get_args().map(|word| word.to_string_lossy().into()).collect();
            let is_there = |wanted: &str| words.iter().any(|word| word.ends_with(wanted));
            if let Some(directory) = command.get_current_dir() {
                assert_eq!(directory, Path::new("/a b/c,d"));
                assert!(is_there("image,,1") && is_there("/a b/kernel"), "{words:?}");
            } else if board.architecture.form == Form::Uboot {
                assert!(words.contains(&"/a b/c,d/image,1".into()), "{words:?}");
            } else {
                assert!(is_there("file=/a b/c,,d/image,,1"), "{words:?}");
            }
        }
    }

    fn line(board: &Board, processors: Processors) -> String {
        let files = Files { kernel: Path::new("kernel"), image: Path::new("image") };
        let command = board.emulate(board.emulator.unwrap(), files, 3, processors);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_pc_boots_kernel_and_module_and_can_end() {
        let line = line(&PC99, Processors::One);
        assert!(line.starts_with("qemu-system-x86_64 -machine pc ") && line.contains(" -m 515M "), "{line}");
        assert!(line.contains("-kernel kernel -initrd image -device isa-debug-exit,iobase=0xf4,iosize=0x4"));
    }

    #[test]
    fn an_arm_board_is_loaded_as_one_image() {
        let line = line(&MICROKIT[0], Processors::One);
        assert!(line.contains(" -device loader,addr=0x70000000,cpu-num=0,file=image "), "{line}");
        assert!(!line.contains("kernel"), "{line}");
    }

    #[test]
    fn a_riscv_board_is_loaded_by_the_images_header() {
        let board = Board::of_microkit("qemu_virt_riscv64").unwrap();
        let line = line(board, Processors::One);
        assert!(
            line.starts_with("qemu-system-riscv64 -machine virt ") && line.contains(" -m 2051M "),
            "{line}"
        );
        assert!(line.contains(" -kernel image ") && !line.contains("-device"), "{line}");
    }

    #[test]
    fn processors_are_those_of_the_description_or_of_the_kernel() {
        let processors =
            |name, several, highest| Board::of_microkit(name).map(|board| board.processors(several, highest));
        assert_eq!(processors("qemu_virt_aarch64", false, 0), Some(1));
        // The loader starts all four.
        assert_eq!(processors("qemu_virt_aarch64", true, 1), Some(4));
        assert_eq!(processors("qemu_virt_riscv64", true, 3), Some(4));
        // A PC's kernel takes those that there are.
        assert_eq!(processors("x86_64_generic", true, 0), Some(2));
        assert_eq!(processors("x86_64_generic", true, 15), Some(16));
    }

    #[test]
    fn several_processors_run_at_the_same_time_or_in_turns() {
        for board in &MICROKIT {
            let threads = line(board, Processors::AtTheSameTime(4));
            assert!(threads.contains(" -smp 4 -accel tcg,thread=multi "), "{threads}");
            let turns = line(board, Processors::InTurns { number: 4, round: 50 });
            assert!(turns.contains(" -smp 4 -accel tcg,thread=single -icount shift="), "{turns}");
            // The timer belongs to a network, which comes before it.
            let network = turns.find("-netdev hubport,id=turns,").expect("there is a network");
            let timer = turns.find("-object filter-buffer,id=turn,netdev=turns,interval=50 ");
            assert!(timer.is_some_and(|timer| timer > network), "{turns}");
        }
        assert!(!line(&PC99, Processors::One).contains("-smp"));
    }
}
