//! What is known of a platform's programs without building any: their names, from Cargo's manifests, and the
//! addresses that they occupy, if they were built before. `ferry check` says what the image builder of the
//! platform would say. Outside of a checkout nothing is known, and nothing is said.

use crate::target::{Config, Platform, Target};
use crate::workspace::Workspace;
use crate::{classic, hosted, microkit};
use cargo_metadata::{Metadata, MetadataCommand};
use clap::ValueEnum;
use ferry_boards::PC99;
use ferry_description::{Description, Domain, Mistakes};
use object::{Object, ObjectSegment};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What Cargo says of the workspace, and of that of Microkit. Cargo takes a while, and every target asks.
static METADATA: [OnceLock<Option<Metadata>>; 2] = [const { OnceLock::new() }; 2];

/// What is known of the programs for one target.
pub(crate) struct Known {
    target: Target,
    /// The names of the programs.
    names: Vec<String>,
    /// The directories in which they lie when they are built, in each configuration: for domains without
    /// floating-point registers, and for all others.
    directories: Vec<[PathBuf; 2]>,
}

impl Known {
    /// Looks up what is known.
    pub(crate) fn of(target: Target) -> Option<Self> {
        let workspace = Workspace::locate().ok()?;
        let (manifest, package) = match target.platform {
            Platform::Classic => ("Cargo.toml", classic::DOMAINS),
            Platform::Hosted => ("Cargo.toml", hosted::DOMAINS),
            Platform::Microkit => ("platform/microkit/Cargo.toml", microkit::DOMAINS),
        };
        let metadata = METADATA[usize::from(target.platform == Platform::Microkit)].get_or_init(|| {
            MetadataCommand::new().manifest_path(workspace.root.join(manifest)).no_deps().exec().ok()
        });
        let package = metadata.as_ref()?.packages.iter().find(|found| found.name.as_str() == package)?;
        // Programs that need a feature are those of the tests, which no command but `ferry test` builds.
        let programs = package.targets.iter().filter(|it| it.is_bin() && it.required_features.is_empty());
        let mut names: Vec<String> = programs.map(|program| program.name.clone()).collect();
        names.sort();
        let directories = match target.platform {
            Platform::Classic => {
                let directory = workspace.target.join(PC99.target).join("release");
                vec![[directory.clone(), directory]]
            }
            Platform::Microkit => {
                let configurations = Config::value_variants().iter();
                let of = |config: &Config| microkit::directories(&workspace, target.board, *config);
                configurations.filter_map(of).collect()
            }
            // Linux puts programs where the description maps nothing.
            Platform::Hosted => Vec::new(),
        };
        Some(Self { target, names, directories })
    }

    /// Refuses paths that no program has, and maps over programs.
    pub(crate) fn check(&self, description: &Description) -> Result<(), Mistakes> {
        // On Microkit a path may also lead out of the directory of the programs, to a file of any name.
        let others = description.system.domains.iter().filter(|domain| self.is_file(domain));
        let mut names = self.names.clone();
        names.extend(others.map(|domain| self.name(&domain.program)));
        description.check_programs(self.target.rules(), &names, |path| self.name(path))?;
        for domain in &description.system.domains {
            for (file, segments) in self.segments(domain) {
                description.check_program(&domain.name, Some(&file), &segments)?;
            }
        }
        Ok(())
    }

    /// The name of the program that a path stands for. On Microkit the directory counts too.
    fn name(&self, path: &str) -> String {
        let is_microkit = self.target.platform == Platform::Microkit;
        let name = if is_microkit {
            Some(path.strip_suffix(".elf").unwrap_or(path).into())
        } else {
            Path::new(path).file_stem().map(|name| name.to_string_lossy().into_owned())
        };
        name.unwrap_or_default()
    }

    /// Whether the image builder for Microkit finds a file by the path itself.
    fn is_file(&self, domain: &Domain) -> bool {
        let is_microkit = self.target.platform == Platform::Microkit;
        let found = |directory: &PathBuf| directory.join(&domain.program).is_file();
        is_microkit && self.directories.iter().flatten().any(found)
    }

    /// The files of a domain's program that are built, with the addresses that they occupy.
    fn segments(&self, domain: &Domain) -> Vec<(String, Vec<Range<u64>>)> {
        let occupied = |address: u64, bytes: u64| address..address.saturating_add(bytes);
        let built = self.directories.iter().filter_map(|[without_fpu, all]| {
            let path = if domain.fpu { all } else { without_fpu }.join(self.name(&domain.program));
            let contents = fs::read(&path).ok()?;
            let program = object::File::parse(contents.as_slice()).ok()?;
            let segments = program.segments().map(|segment| occupied(segment.address(), segment.size()));
            Some((path.display().to_string(), segments.collect()))
        });
        built.collect()
    }
}
