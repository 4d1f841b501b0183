//! What is known of a system's programs without building any: their names, from Cargo's manifests, ready
//! files, and the addresses that programs occupy, if they were built before. `ferry check` says what the
//! image builder of the platform would say. Without Ferry's sources nothing is known, and nothing is said.

use crate::programs;
use crate::project::{self, Project};
use crate::target::{Config, Platform, Selection, Target};
use crate::workspace::Workspace;
use crate::{classic, hosted, microkit};
use cargo_metadata::{Metadata, MetadataCommand};
use clap::ValueEnum;
use ferry_boards::PC99;
use ferry_description::{Description, Domain, Mistakes};
use object::{Object, ObjectSegment};
use std::cell::OnceCell;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;

/// What is known of a project's programs, for any target.
pub(crate) struct Known<'a> {
    project: &'a Project,
    workspace: Workspace,
    /// What Cargo says of Ferry's workspace, and of that of Microkit. Cargo takes a while, so it is asked
    /// when a target needs it.
    metadata: [OnceCell<Option<Metadata>>; 2],
}

/// What is known for one target.
struct Programs<'a> {
    project: &'a Project,
    /// The names of Ferry's own programs and of the project's.
    names: Vec<String>,
    /// Where Cargo puts programs, in each configuration: for domains without floating-point registers, and
    /// for all others.
    directories: Vec<[PathBuf; 2]>,
}

impl<'a> Known<'a> {
    /// Looks for Ferry's sources.
    pub(crate) fn of(project: &'a Project) -> Option<Self> {
        let metadata = [const { OnceCell::new() }; 2];
        Some(Self { project, workspace: project.workspace().ok()?, metadata })
    }

    /// Refuses paths that no program for the target has, and maps over programs.
    pub(crate) fn check(&self, target: Target, description: &Description) -> Result<(), Mistakes> {
        let Some(programs) = self.programs(target) else { return Ok(()) };
        let mut names = programs.names.clone();
        let is_ready = |domain: &&Domain| {
            self.project.ready.iter().any(|directory| directory.join(&domain.program).is_file())
        };
        let ready = description.system.domains.iter().filter(is_ready);
        names.extend(ready.map(|domain| domain.binary().to_owned()));
        description.check_programs(&target.rules(), &names)?;
        for domain in &description.system.domains {
            for (file, segments) in programs.segments(domain) {
                description.check_program(&domain.name, Some(&file), &segments)?;
            }
        }
        Ok(())
    }

    fn programs(&self, target: Target) -> Option<Programs<'_>> {
        let (manifest, package) = match target.platform {
            Platform::Classic => ("Cargo.toml", classic::DOMAINS),
            Platform::Hosted => ("Cargo.toml", hosted::DOMAINS),
            Platform::Microkit => ("platform/microkit/Cargo.toml", microkit::DOMAINS),
        };
        let metadata = self.metadata[usize::from(target.platform == Platform::Microkit)].get_or_init(|| {
            MetadataCommand::new().manifest_path(self.workspace.root.join(manifest)).no_deps().exec().ok()
        });
        let package = metadata.as_ref()?.packages.iter().find(|found| found.name.as_str() == package)?;
        // Programs of the tests are not for a project.
        let own = package.targets.iter().filter(|it| it.is_bin() && it.required_features.is_empty());
        let own = own.map(|program| program.name.as_str());
        let mut names: Vec<String> = own.chain(self.project.binaries()).map(str::to_owned).collect();
        names.sort();
        Some(Programs { project: self.project, names, directories: self.directories(target) })
    }

    fn directories(&self, target: Target) -> Vec<[PathBuf; 2]> {
        let of_project = self.project.own_products().join(target.platform.name());
        match target.platform {
            Platform::Classic => {
                [programs::directory(&self.workspace, Selection::System), of_project.join(project::BUILD)]
                    .map(|directory| directory.join(PC99.architecture.target).join("release"))
                    .map(|directory| [directory.clone(), directory])
                    .to_vec()
            }
            Platform::Microkit => {
                let own = self.workspace.target.join("microkit");
                let places = Config::value_variants()
                    .iter()
                    .flat_map(|config| [(&own, config), (&of_project, config)]);
                let of = |(there, config): (&PathBuf, &Config)| {
                    microkit::directories(there, target.board, *config)
                };
                places.filter_map(of).collect()
            }
            // Linux puts programs where the description maps nothing.
            Platform::Hosted => Vec::new(),
        }
    }
}

impl Programs<'_> {
    /// The files of a domain's program that are built, with the addresses that they occupy.
    fn segments(&self, domain: &Domain) -> Vec<(String, Vec<Range<u64>>)> {
        let occupied = |address: u64, bytes: u64| address..address.saturating_add(bytes);
        let is_binary = self.names.iter().any(|name| name == domain.binary());
        let built = self.directories.iter().filter(|_| is_binary).map(|[without_fpu, all]| {
            let directory = if domain.fpu { all } else { without_fpu };
            directory.join(domain.binary())
        });
        let ready = self.project.ready.iter().map(|directory| directory.join(&domain.program));
        let known = built.chain(ready).filter_map(|path| {
            let contents = fs::read(&path).ok()?;
            let program = object::File::parse(contents.as_slice()).ok()?;
            let segments = program.segments().map(|segment| occupied(segment.address(), segment.size()));
            Some((path.display().to_string(), segments.collect()))
        });
        known.collect()
    }
}
