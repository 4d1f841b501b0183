//! The Python interpreter that the kernel's code generators need, with their three modules. An interpreter
//! that has the modules is used as it is. Otherwise the modules go into a virtual environment in the build
//! directory, and the machine's own Python stays untouched.

use crate::error::Error;
use crate::step::{Step, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Pinned, because the generators are from 2017 and later versions may drop what they use.
const REQUIREMENTS: [&str; 3] = ["six==1.17.0", "ply==3.11", "Tempita==0.6.0"];
const IMPORT: &str = "import six, ply, tempita";

/// Returns a directory whose `python` has the modules. It belongs in front of `PATH`, because the generators
/// begin with `#!/usr/bin/env python`, and Debian alone has no program of that name.
pub(crate) fn prepare(out_dir: &Path, progress: &mut dyn FnMut(Step)) -> Result<PathBuf, Error> {
    let environment = out_dir.join("python");
    let programs = environment.join("bin");
    if imports_modules(&programs.join("python")) {
        return Ok(programs);
    }
    if let Some(interpreter) = ["python3", "python"].into_iter().find(|name| imports_modules(Path::new(name)))
    {
        return link(interpreter, &out_dir.join("interpreter"));
    }

    progress(Step::InstallPythonModules { modules: &REQUIREMENTS, directory: environment.clone() });
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(&environment);
    run(
        create,
        "python3",
        "create a Python environment",
        "install it with `apt-get install python3-venv`",
        None,
    )?;
    let mut install = Command::new(programs.join("python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(REQUIREMENTS);
    run(
        install,
        "python3",
        "install the Python modules six, ply and Tempita",
        "check the network, or install them with `apt-get install python3-six python3-ply python3-tempita`",
        None,
    )?;
    Ok(programs)
}

fn imports_modules(interpreter: &Path) -> bool {
    let mut command = Command::new(interpreter);
    command.args(["-c", IMPORT]).output().is_ok_and(|output| output.status.success())
}

/// Makes a directory that holds nothing but a `python` that starts `interpreter`.
fn link(interpreter: &str, directory: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    let script = directory.join("python");
    let text = format!("#!/bin/sh\nexec {interpreter} \"$@\"\n");
    fs::write(&script, text).map_err(Error::file("write", &script))?;
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, executable).map_err(Error::file("make executable", &script))?;
    Ok(directory.to_owned())
}
