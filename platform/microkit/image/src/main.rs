//! `ferry-microkit-image`: makes a bootable Microkit image of a system description, its flows and its
//! programs.
//!
//! Microkit's own library does the work. What it cannot express is added to the capDL specification between
//! building and packing:
//!
//! * a `CNode` in central's `CSpace` with a capability for every frame of the clients' buffers (`grants`),
//! * empty page tables for the window in which central maps them (`window`),
//! * addresses of regions that a program asks for and the description leaves open (`addresses`),
//! * what the supervisor needs to start a domain again (`restarts`),
//! * the contents of regions that the caller fills, and of central's configuration (`contents`).
//!
//! Where Microkit gives rights that its own interface does not use, they are taken away (`narrow`).
//!
//! Before all of this, a supervisor is added to the text of the description (`supervision`). `ferry image`
//! calls this as a program of its own, because parts of the library end the process when something is wrong.
//!
//! The image is read back from its file, and compared with the description (`inspect`). With `--inspect` that
//! is done with an image from elsewhere.
//!
//! Into the output directory go `image` (on x86-64 also `sel4_32.elf`, the kernel that QEMU boots),
//! `report.txt`, and `system.xml`, the description as it was built.
#![forbid(unsafe_code)]

mod account;
mod addresses;
mod archived;
mod build;
mod contents;
mod error;
mod grants;
mod image_file;
mod inspect;
mod narrow;
mod objects;
mod pack;
mod priority;
mod program_pages;
mod programs;
mod restarts;
mod sdk;
mod specification;
mod stacks;
mod stock;
mod supervision;
mod tables;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::contents::Prefill;
use crate::error::Error;
use crate::priority::Priority;
use crate::sdk::Target;

/// Builds bootable Microkit images with Ferry's additions.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The system description
    #[arg(long, value_name = "FILE", default_value = "system.xml")]
    system: PathBuf,
    /// Who may send to whom
    #[arg(long, value_name = "FILE", default_value = "flows.toml")]
    flows: PathBuf,
    /// The program of a domain, which is then not looked for; can be repeated
    #[arg(long = "program", value_name = "DOMAIN=FILE", value_parser = program)]
    programs: Vec<(String, PathBuf)>,
    /// Where all other programs are looked for, with and without the ending `.elf`; can be repeated
    #[arg(long = "search-path", value_name = "DIR")]
    search_paths: Vec<PathBuf>,
    /// Fills a region from its beginning with a file and enlarges it if it must; can be repeated
    #[arg(long = "prefill", value_name = "REGION=FILE")]
    prefills: Vec<Prefill>,
    /// Gives a domain another priority, after the description has been checked: for tests of what must not be
    /// described; can be repeated
    #[arg(long = "priority", value_name = "DOMAIN=PRIORITY")]
    priorities: Vec<Priority>,
    /// The Microkit SDK
    #[arg(long, value_name = "DIR", env = "MICROKIT_SDK")]
    sdk: Option<PathBuf>,
    /// The board, by its name in the SDK
    #[arg(long)]
    board: String,
    /// `debug`, `release`, `benchmark`, or another configuration that the SDK has for the board
    #[arg(long)]
    config: String,
    /// Directory for what is made
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Lets no domain call the supervisor, and takes the one that neither prints for domains nor ends the
    /// machine
    #[arg(long)]
    product: bool,
    /// Has the stock Microkit tool build the system instead, without any of Ferry's additions
    #[arg(long)]
    stock_check: bool,
    /// Builds an image whose initial task is this program instead, for tests (not on x86-64, where QEMU takes
    /// the program as it is)
    #[arg(long, value_name = "PROGRAM", conflicts_with = "stock_check")]
    root_task: Option<PathBuf>,
    /// Reads this image back instead, and compares it with what the other arguments give. Prints each
    /// difference in a line, and ends with code 3 if there is one
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["stock_check", "root_task"])]
    inspect: Option<PathBuf>,
}

fn program(text: &str) -> Result<(String, PathBuf), String> {
    let (domain, file) = text.split_once('=').ok_or("write DOMAIN=FILE")?;
    Ok((domain.into(), file.into()))
}

/// The exit code if an image is not what it should be.
const DIFFERS: u8 = 3;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(DIFFERS),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the image that is inspected, if there is one, is what it should be.
fn run(arguments: &Arguments) -> Result<bool, Error> {
    let target = Target::find(arguments.sdk.as_deref(), &arguments.board, &arguments.config)?;
    let output = &arguments.output;
    std::fs::create_dir_all(output).map_err(Error::file("create", output))?;
    if let Some(program) = &arguments.root_task {
        pack::root_task(&target, program, &output.join(pack::IMAGE))?;
    } else if arguments.stock_check {
        stock::check(&target, arguments, output)?;
    } else if let Some(image) = &arguments.inspect {
        return build::inspection(&target, arguments, image, output);
    } else {
        build::system(&target, arguments, output)?;
    }
    Ok(true)
}
