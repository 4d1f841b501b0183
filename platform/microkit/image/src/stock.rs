//! Proof that a description is still a stock one: Microkit's own tool builds an image of it.

use std::os::unix::fs::symlink;
use std::path::{Component, Path};
use std::process::Command;

use ferry_description::{Description, Domain, Source};

use crate::Arguments;
use crate::error::Error;
use crate::programs::Programs;
use crate::sdk::Target;

/// Runs the stock tool. Its image and report go into `stock` in the output directory.
pub(crate) fn check(target: &Target, arguments: &Arguments, output: &Path) -> Result<(), Error> {
    let source = Source::read(&arguments.system)?;
    let description = Description::check(&source, &Source::read(&arguments.flows)?, &[])?;
    description.check_for(&target.rules())?;
    let programs = Programs::of(arguments);
    let directory = output.join("stock");
    std::fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
    // The tool looks for programs under exactly the names in the description.
    let is_inside = |domain: &&Domain| {
        Path::new(&domain.program).components().all(|part| matches!(part, Component::Normal(_)))
    };
    for domain in description.system.domains.iter().filter(is_inside) {
        let program = programs.path(&domain.name, Path::new(&domain.program))?;
        let program = std::path::absolute(&program).map_err(Error::file("find", &program))?;
        let link = directory.join(&domain.program);
        let _ = std::fs::remove_file(&link);
        let parent = link.parent().unwrap_or(&directory);
        std::fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        symlink(&program, &link).map_err(Error::file("link", &link))?;
    }
    let tool = target.tool();
    let result = Command::new(&tool)
        .arg(&arguments.system)
        .args(["--board", target.board.name, "--config", &target.config_name])
        .arg("--output")
        .arg(directory.join("image"))
        .arg("--report")
        .arg(directory.join("report.txt"))
        .arg("--search-path")
        .arg(&directory)
        .args(source.directories().iter().filter(|directory| !directory.as_os_str().is_empty()))
        .args(&arguments.search_paths)
        .output()
        .map_err(Error::file("run", &tool))?;
    if result.status.success() {
        return Ok(());
    }
    let output = [result.stdout, result.stderr].concat();
    Err(Error::StockTool {
        status: result.status,
        output: String::from_utf8_lossy(&output).trim_end().into(),
    })
}
