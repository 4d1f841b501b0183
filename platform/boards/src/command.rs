//! The command that starts a board's emulator. QEMU's options are here, so whoever boots a board need not
//! know them.

use crate::{Board, Emulator, Exit, Loading};
use std::borrow::ToOwned;
use std::ffi::OsString;
use std::format;
use std::path::Path;
use std::process::Command;
use std::string::String;

/// The files to boot.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The kernel as a 32-bit ELF file, for [`Loading::Multiboot`].
    pub kernel: &'a Path,
    /// The image.
    pub image: &'a Path,
}

impl Board {
    /// The command that emulates the board and boots the files. Its standard output is the console. The
    /// emulated board has `more_mebibytes` MiB more memory than its entry says.
    #[must_use]
    pub fn emulate(&self, files: Files<'_>, more_mebibytes: u64) -> Command {
        let emulator = &self.emulator;
        let mut command = Command::new(emulator.program);
        command.args(emulator.machine);
        command.args(["-m", &format!("{}M", emulator.mebibytes + more_mebibytes)]);
        match emulator.loading {
            Loading::At(address) => {
                let mut loader = OsString::from(format!("loader,addr={address:#x},cpu-num=0,file="));
                loader.push(doubled(files.image));
                command.arg("-device").arg(loader);
            }
            Loading::Multiboot => {
                multiboot(&mut command, files);
            }
            Loading::Uboot => {
                command.arg("-kernel").arg(files.image);
            }
        }
        if let Exit::DebugExit(port) = self.exit {
            let device = format!("isa-debug-exit,iobase={port:#x},iosize={:#x}", Exit::DEBUG_EXIT_PORTS);
            command.args(["-device", &device]);
        }
        let console = ["-display", "none", "-monitor", "none", "-serial", "stdio"];
        command.args(["-accel", "tcg"]).args(console).arg("-no-reboot");
        command
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
    use super::Files;
    use crate::{Board, Loading, MICROKIT, PC99};
    use std::path::Path;
    use std::string::String;
    use std::vec::Vec;

    #[test]
    fn every_path_reaches_the_emulator_whole() {
        let files = Files { kernel: Path::new("/a b/kernel"), image: Path::new("/a b/c,d/image,1") };
        for board in MICROKIT.iter().chain([&PC99]) {
            let command = board.emulate(files, 0);
            let words: Vec<String> = command.get_args().map(|word| word.to_string_lossy().into()).collect();
            let is_there = |wanted: &str| words.iter().any(|word| word.ends_with(wanted));
            if let Some(directory) = command.get_current_dir() {
                assert_eq!(directory, Path::new("/a b/c,d"));
                assert!(is_there("image,,1") && is_there("/a b/kernel"), "{words:?}");
            } else if board.emulator.loading == Loading::Uboot {
                assert!(words.contains(&"/a b/c,d/image,1".into()), "{words:?}");
            } else {
                assert!(is_there("file=/a b/c,,d/image,,1"), "{words:?}");
            }
        }
    }

    fn line(board: &Board) -> String {
        let files = Files { kernel: Path::new("kernel"), image: Path::new("image") };
        let command = board.emulate(files, 3);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_pc_boots_kernel_and_module_and_can_end() {
        let line = line(&PC99);
        assert!(line.starts_with("qemu-system-x86_64 -machine pc ") && line.contains(" -m 515M "), "{line}");
        assert!(line.contains("-kernel kernel -initrd image -device isa-debug-exit,iobase=0xf4,iosize=0x4"));
    }

    #[test]
    fn an_arm_board_is_loaded_as_one_image() {
        let line = line(&MICROKIT[0]);
        assert!(line.contains(" -device loader,addr=0x70000000,cpu-num=0,file=image "), "{line}");
        assert!(!line.contains("kernel"), "{line}");
    }

    #[test]
    fn a_riscv_board_is_loaded_by_the_images_header() {
        let board = Board::of_microkit("qemu_virt_riscv64").unwrap();
        let line = line(board);
        assert!(
            line.starts_with("qemu-system-riscv64 -machine virt ") && line.contains(" -m 2051M "),
            "{line}"
        );
        assert!(line.contains(" -kernel image ") && !line.contains("-device"), "{line}");
    }
}
