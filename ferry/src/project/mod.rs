//! A project: a directory with a system description, its flows and, if it has sources, a Cargo package whose
//! binaries are protection domains. Ferry's demo and its examples are projects like any other.

mod package;

use crate::c;
use crate::cargo;
use crate::description_files::{DescriptionFiles, FLOWS, SYSTEM};
use crate::programs::{Programs, ProgramsError, Taken, build_in};
use crate::target::Platform;
use crate::workspace::{Workspace, WorkspaceError};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use clap::Args;
use ferry_description::{CENTRAL, TICKER};
use package::Stage;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory for the products of a platform that has only one.
pub(crate) const BUILD: &str = "build";
/// The directory, below Ferry's products, that has one for each package.
const PACKAGES: &str = "packages";

/// The two files of a system, as the command line takes them.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FilesArguments {
    /// The system description. By default system.xml, here or in the nearest directory above. Its directory
    /// is the project.
    #[arg(long, value_name = "FILE")]
    system: Option<PathBuf>,
    /// The flows: who may send to whom. By default flows.toml beside the system description.
    #[arg(long, value_name = "FILE")]
    flows: Option<PathBuf>,
}

/// Where a project is, as the command line takes it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ProjectArguments {
    #[command(flatten)]
    files: FilesArguments,
    /// A directory with ready programs, as ELF files for the platform. May be repeated: what a directory does
    /// not have is looked for in the next one. The last one is the project itself.
    #[arg(long, value_name = "DIRECTORY")]
    programs: Vec<PathBuf>,
}

/// Where the parts of a project are.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) files: DescriptionFiles,
    /// The directory of the system description.
    pub(crate) directory: PathBuf,
    /// Directories with ready programs, in the order in which they are searched.
    pub(crate) ready: Vec<PathBuf>,
    sources: Option<Box<Sources>>,
    /// Its programs in C.
    c_programs: Vec<c::Program>,
    /// The directory for what is built, if it is not the usual one.
    products: Option<PathBuf>,
}

/// The package with the sources of a project.
#[derive(Clone, Debug)]
struct Sources {
    package: Package,
    /// Cargo's directory for what it builds.
    target: PathBuf,
    /// The lock file.
    lock: PathBuf,
}

/// For whom the sources of a project are compiled.
pub(crate) struct Compilation<'a> {
    pub(crate) platform: Platform,
    /// Cargo's profile.
    pub(crate) profile: &'a str,
    /// The directory for the products, below the one of the platform.
    pub(crate) directory: &'a str,
    /// Where Cargo compiles. What Ferry's own programs and the project's have in common is compiled once.
    pub(crate) build: &'a Path,
    /// A lock file to begin with. By default the project's own.
    pub(crate) lock: Option<&'a Path>,
}

impl<'a> Compilation<'a> {
    /// For a platform whose programs depend on nothing but the platform. `build` is where Cargo compiles.
    pub(crate) fn release(platform: Platform, build: &'a Path) -> Self {
        Self { platform, profile: "release", directory: BUILD, build, lock: None }
    }
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    #[error(
        "there is no {SYSTEM} here or in a directory above; run this in a project, make one with \
         `ferry new DIRECTORY`, or name the file with --system"
    )]
    None,
    #[error("{}: cargo cannot describe the package: {cause}; run `cargo metadata` there", manifest.display())]
    Metadata { manifest: PathBuf, cause: Box<cargo_metadata::Error> },
    #[error(transparent)]
    C(#[from] c::CError),
    #[error(transparent)]
    Taken(#[from] Taken),
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl FilesArguments {
    /// The files of the system.
    pub(crate) fn find(&self) -> Result<DescriptionFiles, ProjectError> {
        self.find_any().ok_or(ProjectError::None)
    }

    /// The files of the system, if there is one.
    fn find_any(&self) -> Option<DescriptionFiles> {
        let system = self.system.clone().or_else(nearest)?;
        let flows = self.flows.clone().unwrap_or_else(|| system.with_file_name(FLOWS));
        Some(DescriptionFiles { system, flows })
    }

    /// The project, if there is one. Its programs are not asked for.
    pub(crate) fn project(&self) -> Result<Option<Project>, ProjectError> {
        self.find_any().map(Project::of).transpose()
    }
}

impl ProjectArguments {
    /// The directories with ready programs that the caller names.
    pub(crate) fn programs(&self) -> &[PathBuf] {
        &self.programs
    }

    /// The project.
    pub(crate) fn project(&self) -> Result<Project, ProjectError> {
        let mut project = Project::of(self.files.find()?)?;
        project.ready.splice(0..0, self.programs.iter().cloned());
        Ok(project)
    }
}

/// The nearest system description, as a path that begins here.
fn nearest() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut path = PathBuf::from(SYSTEM);
    for _ in here.ancestors() {
        if path.is_file() {
            return Some(path);
        }
        path = Path::new("..").join(path);
    }
    None
}

impl Project {
    /// The project of these files.
    pub(crate) fn of(files: DescriptionFiles) -> Result<Self, ProjectError> {
        let directory = match files.system.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let sources = sources(&directory)?;
        let c_programs = c::programs(&directory.join(c::DIRECTORY))?;
        let ready = vec![directory.clone()];
        let project = Self { files, ready, directory, sources, c_programs, products: None };
        project.check_names()?;
        Ok(project)
    }

    /// Refuses names that nobody could tell apart: of Ferry's own programs, and of one program in Rust and
    /// one in C.
    fn check_names(&self) -> Result<(), ProjectError> {
        if let Some(name) = self.binaries().find(|name| [CENTRAL, TICKER].contains(name)) {
            return Err(Taken { name: name.to_owned() }.into());
        }
        match self.c_names().find(|name| self.rust_names().any(|other| other == *name)) {
            Some(name) => Err(c::CError::Twice(name.to_owned()).into()),
            None => Ok(()),
        }
    }

    /// A system of Ferry's own tests. Its programs are Ferry's own, and those in C beside its description.
    pub(crate) fn of_tests(files: DescriptionFiles, products: PathBuf) -> Result<Self, ProjectError> {
        let directory = files.system.parent().map(Path::to_owned).unwrap_or_default();
        let c_programs = c::programs(&directory.join(c::DIRECTORY))?;
        let products = Some(products);
        Ok(Self { files, directory, ready: Vec::new(), sources: None, c_programs, products })
    }

    /// The directory for everything that is built for the project. Its path is absolute.
    pub(crate) fn products(&self) -> PathBuf {
        if let Some(products) = &self.products {
            return products.clone();
        }
        let cargo = self.sources.as_ref().map(|sources| sources.target.clone());
        let products = cargo.unwrap_or_else(|| self.directory.join("target")).join("ferry");
        std::path::absolute(&products).unwrap_or(products)
    }

    /// The directory for what comes from this project alone: its programs, and the files of its tests.
    /// Packages of one Cargo workspace share the other products, and may have programs and tests of the same
    /// names.
    pub(crate) fn own_products(&self) -> PathBuf {
        match &self.sources {
            Some(sources) => self.products().join(PACKAGES).join(sources.package.name.as_str()),
            None => self.products(),
        }
    }

    /// The name of its package, else that of its directory.
    pub(crate) fn name(&self) -> String {
        if let Some(sources) = &self.sources {
            return sources.package.name.to_string();
        }
        let directory = self.directory.canonicalize().unwrap_or_else(|_| self.directory.clone());
        directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The lock file with which its package was last compiled for a platform. `None` without a package.
    pub(crate) fn lock(&self, platform: Platform) -> Option<PathBuf> {
        self.sources.as_ref().map(|_| self.package(platform).join("Cargo.lock"))
    }

    /// Where the package for a platform is written.
    fn package(&self, platform: Platform) -> PathBuf {
        self.own_products().join(platform.name()).join("package")
    }

    /// The names of the project's binaries, and of its programs in C.
    pub(crate) fn binaries(&self) -> impl Iterator<Item = &str> {
        self.rust_names().chain(self.c_names())
    }

    /// The names of its package's binaries.
    fn rust_names(&self) -> impl Iterator<Item = &str> {
        let targets = self.sources.iter().flat_map(|sources| &sources.package.targets);
        targets.filter(|target| target.is_bin()).map(|target| target.name.as_str())
    }

    /// The names of its programs in C.
    pub(crate) fn c_names(&self) -> impl Iterator<Item = &str> {
        self.c_programs.iter().map(|program| program.name.as_str())
    }

    /// The directory for the programs in C of a platform.
    pub(crate) fn c_output(&self, platform: Platform) -> PathBuf {
        self.own_products().join(platform.name()).join(c::DIRECTORY)
    }

    /// Compiles the programs in C. `prepare` builds what they link; it is called only if there are any.
    pub(crate) fn compile_c<'a, E: From<c::CError>>(
        &self,
        prepare: impl FnOnce() -> Result<c::Build<'a>, E>,
    ) -> Result<Programs, E> {
        if self.c_programs.is_empty() {
            return Ok(Programs::default());
        }
        Ok(c::compile(&prepare()?, &self.directory, &self.c_programs)?)
    }

    /// The directory of the package `ferry-client` on which the project depends, if it does.
    fn client_library(&self) -> Result<Option<PathBuf>, ProjectError> {
        const CLIENT: &str = "ferry-client";
        let Some(Sources { package, .. }) = self.sources.as_deref() else { return Ok(None) };
        let Some(dependency) = package.dependencies.iter().find(|dependency| dependency.name == CLIENT)
        else {
            return Ok(None);
        };
        if let Some(path) = &dependency.path {
            return Ok(Some(path.as_std_path().to_owned()));
        }
        let all = metadata(package.manifest_path.as_std_path(), MetadataCommand::new())?;
        let client = all.packages.iter().find(|package| package.name.as_str() == CLIENT);
        Ok(client.and_then(|client| client.manifest_path.parent()).map(|path| path.as_std_path().to_owned()))
    }

    /// Ferry's sources that belong to the project.
    pub(crate) fn workspace(&self) -> Result<Workspace, ProjectError> {
        let library = self.client_library()?;
        Ok(Workspace::of(&self.directory, library.as_deref(), self.products())?)
    }

    /// Compiles the sources. `ferry` is the directory of Ferry's sources. `prepare` adds what the board needs
    /// to Cargo's command.
    pub(crate) fn compile(
        &self,
        ferry: &Path,
        compilation: &Compilation<'_>,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Programs, ProgramsError> {
        let Some(Sources { package, lock, .. }) = self.sources.as_deref() else {
            return Ok(Programs::default());
        };
        let lock = compilation.lock.unwrap_or(lock);
        let platform = compilation.platform.name();
        let stage = Stage { package, ferry, platform, lock };
        let directory = self.own_products().join(platform);
        let manifest = self.package(compilation.platform);
        stage.write(&manifest)?;
        let mut cargo = cargo::cargo(&manifest);
        cargo.args(["build", "--bins", "--profile", compilation.profile]);
        cargo.arg("--target-dir").arg(directory.join(compilation.directory));
        build_in(&mut cargo, compilation.build);
        prepare(&mut cargo);
        Programs::run(cargo, &format!("the programs of {}", package.name))
    }
}

/// The package in a directory, if there is one.
fn sources(directory: &Path) -> Result<Option<Box<Sources>>, ProjectError> {
    let manifest = directory.join("Cargo.toml");
    let Ok(absolute) = manifest.canonicalize() else { return Ok(None) };
    let mut command = MetadataCommand::new();
    command.no_deps();
    let metadata = metadata(&manifest, command)?;
    let target = metadata.target_directory.into_std_path_buf();
    let lock = metadata.workspace_root.join("Cargo.lock").into_std_path_buf();
    let mut packages = metadata.packages.into_iter();
    // The manifest of a workspace alone has no package.
    let package =
        packages.find(|package| package.manifest_path.canonicalize().is_ok_and(|it| it == absolute));
    Ok(package.map(|package| Box::new(Sources { package, target, lock })))
}

fn metadata(manifest: &Path, mut command: MetadataCommand) -> Result<Metadata, ProjectError> {
    command
        .manifest_path(manifest)
        .exec()
        .map_err(|cause| ProjectError::Metadata { manifest: manifest.to_owned(), cause: Box::new(cause) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn programs_of_two_projects_in_one_workspace_are_kept_apart() {
        let (ferry, directory) = (Workspace::locate().unwrap(), tempfile::tempdir().unwrap());
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n");
        for name in ["one", "two"] {
            write(&format!("{name}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\n"));
            let program = format!("fn main() {{ print!(\"{name}\") }}");
            write(&format!("{name}/src/bin/sensor.rs"), &program);
        }
        let lock = ferry.root.join("Cargo.lock");
        let compilation =
            Compilation { lock: Some(&lock), ..Compilation::release(Platform::Hosted, &ferry.target) };
        let built = ["one", "two"].map(|name| {
            let files = DescriptionFiles::of_directory(&directory.path().join(name));
            let programs = Project::of(files).unwrap().compile(&ferry.root, &compilation, |_| {}).unwrap();
            programs.path("sensor").unwrap().to_owned()
        });
        // Each still is what it was when the other is built.
        let said = built.map(|program| Command::new(program).output().unwrap().stdout);
        assert_eq!(said, [b"one", b"two"]);
    }
}
