//! Trials of the demo, which show that a project builds and runs: a file crosses on every platform. On
//! Microkit also an image for use, one with a domain schedule, and what only the kernel or the stock tool can
//! answer.

use crate::boot::{self, Bootable, Ending, Expectation};
use crate::built::Built;
use crate::cores;
use crate::description_files::{DescriptionError, DescriptionFiles};
use crate::digest::sha256;
use crate::error::Error;
use crate::file;
use crate::image_trials;
use crate::microkit::Microkit;
use crate::prefill::{self, Prefill};
use crate::project::Project;
use crate::runner::trial;
use crate::target::{Config, Platform, Selection, Target};
use crate::workspace::Workspace;
use ferry_description::Description;
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Time that one boot may take.
const LIMIT: Duration = Duration::from_mins(1);
/// The region of the demo that holds the file.
const REGION: &str = "input";
/// Size of the file in bytes. It fills every ring several times, and it is not a multiple of a page.
const FILE_BYTES: usize = (1 << 20) + 4097;

/// The demo, and a file for it.
#[derive(Clone)]
pub(crate) struct Demo {
    project: Project,
    prefills: Vec<Prefill>,
    /// What the receiver prints of the file.
    line: String,
}

impl Demo {
    /// Reads the demo of these sources.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, Error> {
        let files = DescriptionFiles::of_directory(&workspace.root.join("demo"));
        let contents = contents();
        let digest = sha256(&contents);
        let prefills = vec![(REGION.to_owned(), contents)];
        Ok(Self { project: Project::of(files)?, prefills, line: format!("receiver | sha256={digest}") })
    }

    pub(crate) fn project(&self) -> &Project {
        &self.project
    }

    fn load(&self) -> Result<Description, DescriptionError> {
        self.project.files.load(&prefill::sizes(&self.prefills))
    }

    /// Boots a system until the file has arrived.
    fn await_file(&self, emulator: Bootable) -> Result<(), Failed> {
        boot_to_line(emulator, &self.line)
    }
}

/// A file whose pages differ, so that a misplaced page changes the hash: a linear congruential generator
/// makes it.
fn contents() -> Vec<u8> {
    let words = std::iter::successors(Some(1_u64), |state| {
        Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    });
    words.flat_map(|state| (state >> 32).to_le_bytes()[..4].to_vec()).take(FILE_BYTES).collect()
}

/// Which programs of Ferry's own a project is tried with. Only classic gets them as they are for use. For the
/// others they would be compiled once more.
pub(crate) fn selection(platform: Platform) -> Selection {
    if platform == Platform::Classic { Selection::System } else { Selection::Tests }
}

/// The trials for a target. `directory` is for their files, `prefix` begins their names.
pub(crate) fn of(
    target: Target,
    prefix: &str,
    directory: &Path,
    workspace: &Workspace,
    demo: &Demo,
) -> Result<Vec<Trial>, Error> {
    let mut trials = vec![file_crosses(target, prefix, directory, workspace, demo)?];
    match target.platform {
        Platform::Classic => {
            trials.push(image_trials::of_classic(workspace, &demo.project, directory.join("image")));
        }
        Platform::Microkit => trials.extend(of_microkit(target, prefix, directory, workspace, demo)?),
        Platform::Hosted => {}
    }
    Ok(trials)
}

/// The trial that the demo's file arrives whole. With several cores, sender and receiver run on two of them,
/// and central on a third.
pub(crate) fn file_crosses(
    target: Target,
    prefix: &str,
    directory: &Path,
    workspace: &Workspace,
    demo: &Demo,
) -> Result<Trial, Error> {
    let built = Built::build(target, selection(target.platform), workspace, &demo.project)?;
    let (is_spread, processors) = (target.has_several_cores(), cores::of_tests(target, cores::TWO_OTHERS));
    let (here, demo) = (directory.join("demo"), demo.clone());
    Ok(trial(format!("{prefix}a_file_crosses_whole"), move || {
        let files = &demo.project.files;
        let files = if is_spread { &cores::spread(files, cores::TWO_OTHERS, &here)? } else { files };
        let description = files.load(&prefill::sizes(&demo.prefills))?;
        let emulator = built.emulator(files, &description, &demo.prefills, &[], &here, 1)?;
        let expectation = Expectation {
            lines: vec![demo.line.clone()],
            fault: None,
            ending: Ending::Exit(0),
            limit: LIMIT,
        };
        let _share = cores::Share::take(processors);
        boot::boot(emulator, &expectation, &mut |_| true)?;
        Ok(())
    }))
}

/// The trials that only Microkit has.
fn of_microkit(
    target: Target,
    prefix: &str,
    directory: &Path,
    workspace: &Workspace,
    demo: &Demo,
) -> Result<Vec<Trial>, Error> {
    let tests = Microkit::build(workspace, target.board, Config::Debug, Selection::Tests, &demo.project)?;
    let root_task = tests.kernel_tests(workspace, &directory.join("kernel-tests"))?;
    let image = image_trials::of_microkit(prefix, &tests, &demo.project.files, directory.join("image"));
    let product = tests.for_products();
    let (product_demo, product_directory) = (demo.clone(), directory.join("product"));
    let (scheduled, schedule_directory) = (tests.clone(), directory.join("schedule"));
    let mut scheduled_demo = demo.clone();
    scheduled_demo.project.files.system = workspace.root.join("harness/domains.xml");
    let (stock_demo, stock_directory) = (demo.clone(), directory.join("stock"));
    Ok(vec![
        image,
        trial(format!("{prefix}a_domain_schedule_lets_a_file_cross"), move || {
            let (demo, description) = (&scheduled_demo, scheduled_demo.load()?);
            let files = &demo.project.files;
            demo.await_file(scheduled.bootable(
                files,
                &description,
                &demo.prefills,
                &[],
                &schedule_directory,
                1,
            )?)
        }),
        trial(format!("{prefix}a_product_transfers_and_nobody_can_call_its_supervisor"), move || {
            let (demo, description) = (&product_demo, product_demo.load()?);
            let files = &demo.project.files;
            let emulator =
                product.bootable(files, &description, &demo.prefills, &[], &product_directory, 1)?;
            let system = product_directory.join("system.xml");
            let built = fs::read_to_string(&system).map_err(file::failed("read", &system))?;
            if built.contains("pp=\"true\"") {
                return Err(format!("{} lets a domain call the supervisor", system.display()).into());
            }
            // Domains print through the debug kernel; none can end the machine.
            demo.await_file(emulator)
        }),
        trial(format!("{prefix}the_kernel_answers_a_root_task"), move || {
            boot_to_line(root_task, "INDICATE_SUCCESS")
        }),
        trial(format!("{prefix}the_stock_tool_accepts_system_xml"), move || {
            let description = stock_demo.project.files.load(&[])?;
            Ok(tests.stock_check(&stock_demo.project.files, &description, &stock_directory)?)
        }),
    ])
}

/// Boots a system until it prints a line that begins like this. A fault on the way is a failure.
fn boot_to_line(emulator: Bootable, line: &str) -> Result<(), Failed> {
    let expectation =
        Expectation { lines: vec![line.to_owned()], fault: None, ending: Ending::AfterLines, limit: LIMIT };
    boot::boot(emulator, &expectation, &mut |_| true)?;
    Ok(())
}
