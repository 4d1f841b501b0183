//! Finds the program that a system description names: Ferry's own, one that was built from the project, or
//! one that was there already. The platforms ask for every program of an image here.

use crate::c::CError;
use crate::programs::{Programs, ProgramsError, Taken};
use crate::ready;
use ferry_description::Domain;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The programs of a system, and where they are looked for.
#[derive(Clone, Default, Debug)]
pub(crate) struct Search {
    /// Ferry's own programs: central, and the ticker.
    pub(crate) own: Programs,
    /// What was built from the project's package.
    pub(crate) project: Programs,
    /// The project's programs in C.
    pub(crate) in_c: Programs,
    /// Directories with ready programs.
    pub(crate) ready: Vec<PathBuf>,
}

/// Who built a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// It is Ferry's own: central, or the ticker.
    Ferry,
    /// It is a binary of the project's package.
    Project,
    /// It is one of the project's programs in C.
    C,
    /// It was there already, as an ELF file.
    Ready,
}

impl Search {
    /// Where a system's programs are. A project cannot have programs with the names of Ferry's own: nobody
    /// would know which one runs.
    pub(crate) fn new(
        own: Programs,
        project: Programs,
        in_c: Programs,
        ready: Vec<PathBuf>,
    ) -> Result<Self, ProgramsError> {
        if let Some(name) = project.names().chain(in_c.names()).find(|name| own.find(name).is_some()) {
            return Err(Taken { name: name.to_owned() }.into());
        }
        if let Some(name) = in_c.names().find(|name| project.find(name).is_some()) {
            return Err(CError::Twice(name.to_owned()).into());
        }
        Ok(Self { own, project, in_c, ready })
    }

    /// The same, of what was built for a target.
    pub(crate) fn of_target(&self, target: &str) -> Self {
        Self {
            own: self.own.of_target(target),
            project: self.project.of_target(target),
            in_c: self.in_c.of_target(target),
            ready: self.ready.clone(),
        }
    }

    /// The file of a domain's program. The name of a binary stands for it with and without `.elf`. Every
    /// other path is one in a directory of ready programs.
    pub(crate) fn path(&self, domain: &Domain) -> Result<PathBuf, ProgramsError> {
        let name = domain.binary();
        let built = [&self.project, &self.in_c, &self.own].into_iter().find_map(|these| these.find(name));
        let binary = built.map(Path::to_owned);
        let mut ready = self.ready.iter().map(|directory| directory.join(&domain.program));
        binary.or_else(|| ready.find(|path| path.is_file())).ok_or_else(|| {
            let all = [&self.project, &self.in_c, &self.own];
            let mut known: Vec<&str> = all.into_iter().flat_map(Programs::names).collect();
            known.sort_unstable();
            known.dedup();
            let (place, program) = (domain.program_place.to_string(), domain.program.clone());
            let looked: Vec<String> = self.ready.iter().map(|place| place.display().to_string()).collect();
            ProgramsError::Unknown { place, program, known: known.join(", "), looked: looked.join(", ") }
        })
    }

    /// Who built a domain's program.
    pub(crate) fn origin(&self, domain: &Domain) -> Origin {
        let built = [(&self.project, Origin::Project), (&self.in_c, Origin::C), (&self.own, Origin::Ferry)];
        let found = built.into_iter().find(|(these, _)| these.find(domain.binary()).is_some());
        found.map_or(Origin::Ready, |(_, origin)| origin)
    }

    /// Whether a domain's program is one of the project's in C.
    pub(crate) fn is_in_c(&self, domain: &Domain) -> bool {
        self.origin(domain) == Origin::C
    }

    /// Whether a domain's program is a client in C that was there already.
    pub(crate) fn is_ready_in_c(&self, domain: &Domain) -> bool {
        self.origin(domain) == Origin::Ready
            && self.read(domain).is_ok_and(|contents| ready::is_in_c(&contents))
    }

    /// Refuses a ready program that cannot be the domain's. `wanted` is the architecture, by seL4's name.
    pub(crate) fn check_ready(&self, domain: &Domain, wanted: &str) -> Result<(), ProgramsError> {
        let path = self.path(domain)?;
        if self.origin(domain) == Origin::Ready {
            ready::check(domain.place.to_string(), &path, &self.read(domain)?, wanted)?;
        }
        Ok(())
    }

    /// The contents of a domain's program.
    pub(crate) fn read(&self, domain: &Domain) -> Result<Vec<u8>, ProgramsError> {
        let path = self.path(domain)?;
        std::fs::read(&path).map_err(|cause| ProgramsError::Read { path, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn programs(files: &[(&str, &str)]) -> Programs {
        Programs::ready(files.iter().map(|(name, path)| ((*name).into(), path.into())).collect())
    }

    /// The domain `alpha` of a minimal system, with this program.
    fn domain(program: &str) -> Domain {
        use ferry_description::{Description, Source};
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = ["system.xml", "flows.toml"].map(|name| Source::read(&root.join("harness").join(name)));
        let [system, flows] = files.map(Result::unwrap);
        let description = Description::check(&system, &flows, &[]).unwrap();
        Domain { program: program.into(), ..description.system.domains[0].clone() }
    }

    #[test]
    fn a_path_names_a_binary_or_a_file_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("vendor")).unwrap();
        fs::write(directory.path().join("vendor/driver.bin"), b"").unwrap();
        fs::write(directory.path().join("sender.elf"), b"").unwrap();
        let search = Search::new(
            programs(&[("central", "/own/central")]),
            programs(&[("sender", "/project/sender")]),
            programs(&[("logger", "/c/logger")]),
            vec![directory.path().join("nothing"), directory.path().to_owned()],
        )
        .unwrap();
        for (program, path, origin) in [
            ("sender.elf", "/project/sender".into(), Origin::Project),
            ("sender", "/project/sender".into(), Origin::Project),
            ("logger.elf", "/c/logger".into(), Origin::C),
            ("central.elf", "/own/central".into(), Origin::Ferry),
            ("vendor/driver.bin", directory.path().join("vendor/driver.bin"), Origin::Ready),
        ] {
            assert_eq!(search.path(&domain(program)).unwrap(), path, "{program}");
            assert_eq!(search.origin(&domain(program)), origin, "{program}");
        }
        // The stem of a path is not its name.
        for program in ["../../foo/sender.bin", "vendor/sender.elf", "sender.bin", "vendor"] {
            let error = search.path(&domain(program)).unwrap_err().to_string();
            assert!(error.contains(&format!("there is no program `{program}`;")), "{error}");
            let place = domain(program).program_place.to_string();
            assert!(error.starts_with(&place) && place != domain(program).place.to_string(), "{error}");
            let looked = format!("also looked into: {0}/nothing, {0})", directory.path().display());
            assert!(error.contains("(there are: central, logger, sender; "), "{error}");
            assert!(error.ends_with(&looked), "{error}");
        }
    }

    #[test]
    fn a_project_cannot_replace_central() {
        let (own, none) = (programs(&[("central", "/own")]), Programs::default());
        let taken = Search::new(own, programs(&[("central", "/project")]), none, Vec::new());
        assert_eq!(
            taken.unwrap_err().to_string(),
            "the project has a program `central`, which is the name of one of Ferry's own; give it another name"
        );
    }

    #[test]
    fn a_project_has_no_program_in_two_languages() {
        let twice = programs(&[("logger", "/a")]);
        let twice = Search::new(Programs::default(), twice.clone(), twice, Vec::new());
        assert_eq!(
            twice.unwrap_err().to_string(),
            "the project has the program `logger` twice, in src/bin and in c; give one of them another name"
        );
    }
}
