//! The programs of protection domains, by the names that the system description gives them.

use std::path::{Path, PathBuf};

use microkit_tool::elf::ElfFile;

use crate::Arguments;
use crate::error::Error;

/// Where programs are.
pub(crate) struct Programs<'a> {
    /// Those that the caller names.
    named: &'a [(String, PathBuf)],
    /// Where all others are looked for.
    search_paths: &'a [PathBuf],
}

impl<'a> Programs<'a> {
    /// The directories that the caller names.
    pub(crate) fn of(arguments: &'a Arguments) -> Self {
        Self { named: &arguments.programs, search_paths: &arguments.search_paths }
    }

    /// The file of a domain's program.
    pub(crate) fn path(&self, domain: &str, program: &Path) -> Result<PathBuf, Error> {
        match self.named.iter().find(|(name, _)| name == domain) {
            Some((_, path)) => Ok(path.clone()),
            None => self.search(domain, program),
        }
    }

    /// Looks for a file. A name that ends in `.elf` also stands for the file without that ending, which is
    /// how cargo names it.
    fn search(&self, domain: &str, program: &Path) -> Result<PathBuf, Error> {
        let directories = || self.search_paths.iter();
        let bare = program.with_extension("");
        let names = [Some(program), (program.extension() == Some("elf".as_ref())).then_some(bare.as_path())];
        names
            .iter()
            .flatten()
            .flat_map(|name| directories().map(move |directory| directory.join(name)))
            .find(|path| path.is_file())
            .ok_or_else(|| Error::NoProgram { domain: domain.into(), program: program.display().to_string() })
    }

    /// A program, ready to be patched for one domain.
    pub(crate) fn load(
        &self,
        domain: &str,
        program: &Path,
        symbols: Option<&Path>,
    ) -> Result<ElfFile, Error> {
        let path = self.path(domain, program)?;
        let symbols = symbols.map(|symbols| self.search(domain, symbols)).transpose()?;
        ElfFile::from_split_paths(&path, symbols.as_deref()).map_err(|cause| Error::Program { path, cause })
    }
}
