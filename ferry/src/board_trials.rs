//! Trials of boards that nothing emulates: the demo is built for them, up to the image. Of each architecture,
//! the first such board that the SDK has is taken.

use crate::demo_trials::Demo;
use crate::error::Error;
use crate::file;
use crate::microkit::{self, Microkit, Sdk};
use crate::output::line;
use crate::runner::trial;
use crate::target::{Config, Selection};
use crate::workspace::Workspace;
use ferry_boards::{AARCH64, Architecture, Board, Console, RISCV64, sdk};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};

/// The architectures for which real boards are tried. A PC is a PC.
const ARCHITECTURES: [&Architecture; 2] = [&AARCH64, &RISCV64];

/// The boards that are tried.
pub(crate) struct RealBoards {
    boards: Vec<&'static Board>,
    missing: Vec<&'static str>,
}

impl RealBoards {
    /// Those of the SDK.
    pub(crate) fn find() -> Result<Self, Error> {
        let found = Sdk::find()?.directory;
        let names = sdk::boards(&found);
        let is_real = |name: &&String| Board::of_microkit(name).is_none();
        let all = names.iter().filter(is_real).map(|name| sdk::board(&found, name));
        let all: Vec<&'static Board> = all.collect::<Result<_, _>>().map_err(microkit::SdkError::from)?;
        let (mut boards, mut missing) = (Vec::new(), Vec::new());
        for architecture in ARCHITECTURES {
            // One whose console is declared shows more.
            let mut of_it = all.iter().copied().filter(|board| board.architecture == architecture);
            let declared = of_it.clone().find(|board| board.console.is_some());
            match declared.or_else(|| of_it.next()) {
                Some(board) => boards.push(board),
                None => missing.push(architecture.name),
            }
        }
        Ok(Self { boards, missing })
    }

    /// Only this board.
    pub(crate) fn only(board: &'static Board) -> Self {
        Self { boards: vec![board], missing: Vec::new() }
    }

    /// The trials, with this configuration of the kernel.
    pub(crate) fn trials(
        &self,
        config: Config,
        workspace: &Workspace,
        demo: &Demo,
    ) -> Result<Vec<Trial>, Error> {
        self.boards.iter().map(|board| builds(board, config, workspace, demo)).collect()
    }

    /// Says for which architectures nothing was tried.
    pub(crate) fn say_what_is_missing(&self) -> Result<(), Error> {
        for architecture in &self.missing {
            line(format_args!(
                "******** NO IMAGE WAS BUILT FOR A REAL {architecture} BOARD: the Microkit SDK has none; build one \
                 into it (docs/porting.md) ********"
            ))?;
        }
        Ok(())
    }
}

/// The trial that the demo becomes an image for this board, for tests and for use. The image builder reads
/// each image back, and compares it with the description.
fn builds(board: &'static Board, config: Config, workspace: &Workspace, demo: &Demo) -> Result<Trial, Error> {
    let built = Microkit::build(workspace, board, config, Selection::System, demo.project())?;
    let (directory, demo) = (workspace.products().join("test").join(board.name), demo.clone());
    Ok(trial(format!("{}::the_demo_becomes_an_image", board.name), move || {
        let description = demo.project().files.load_for(&board.rules(config.has_several_cores()), &[])?;
        for (built, name) in [(built.clone(), "demo"), (built.for_products(), "product")] {
            let there = directory.join(name);
            built.image(&demo.project().files, &description, &[], &[], &there)?;
            has_its_devices(board, &there)?;
            if built.emulator(&there, 0, 1).is_ok() {
                return Err("nothing is known to emulate it, and something does".into());
            }
        }
        Ok(())
    }))
}

/// Whether the supervisor has the devices that are declared for the board, and no others.
fn has_its_devices(board: &Board, directory: &Path) -> Result<(), Failed> {
    let read = |path: PathBuf| fs::read(&path).map_err(file::failed("read", &path));
    if read(directory.join(microkit::IMAGE))?.is_empty() {
        return Err("the image is empty".into());
    }
    let system = String::from_utf8(read(directory.join("system.xml"))?)?;
    let console = match &board.console {
        Some(Console::Mapped(page, _)) => format!("phys_addr=\"{:#x}\"", page.start),
        Some(Console::Ports(ports)) => format!("addr=\"{:#x}\"", ports.start),
        None => String::new(),
    };
    if system.contains("ferry_uart") != board.console.is_some() || !system.contains(&console) {
        return Err(format!("the console is not the declared one:\n{system}").into());
    }
    if system.contains("ferry_exit") != board.exit.is_some() {
        return Err(format!("a device to end the machine is not what is declared:\n{system}").into());
    }
    Ok(())
}
