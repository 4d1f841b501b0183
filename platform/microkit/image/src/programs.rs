//! The programs of protection domains, by the names that the system description gives them.

use std::path::{Path, PathBuf};

use microkit_tool::elf::ElfFile;

use crate::Arguments;
use crate::error::Error;

/// Where programs are.
pub(crate) struct Programs<'a> {
    pub(crate) search_paths: &'a [PathBuf],
    /// Where those of domains without floating-point registers are looked for first.
    pub(crate) search_paths_without_fpu: &'a [PathBuf],
}

impl<'a> Programs<'a> {
    /// The directories that the caller names.
    pub(crate) fn of(arguments: &'a Arguments) -> Self {
        Self {
            search_paths: &arguments.search_paths,
            search_paths_without_fpu: &arguments.search_paths_without_fpu,
        }
    }

    /// The file of a program. A name that ends in `.elf` also stands for the file without that ending, which
    /// is how cargo names it.
    pub(crate) fn path(&self, domain: &str, program: &Path, fpu: bool) -> Result<PathBuf, Error> {
        let first = if fpu { &[] } else { self.search_paths_without_fpu };
        let directories = || first.iter().chain(self.search_paths);
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
        fpu: bool,
    ) -> Result<ElfFile, Error> {
        let path = self.path(domain, program, fpu)?;
        let symbols = symbols.map(|symbols| self.path(domain, symbols, fpu)).transpose()?;
        ElfFile::from_split_paths(&path, symbols.as_deref()).map_err(|cause| Error::Program { path, cause })
    }
}
