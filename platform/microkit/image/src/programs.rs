//! The programs of protection domains, by the names that the system description gives them.

use std::path::{Path, PathBuf};

use microkit_tool::elf::ElfFile;

use crate::error::Error;

/// Where programs are.
pub(crate) struct Programs<'a> {
    pub(crate) search_paths: &'a [PathBuf],
}

impl Programs<'_> {
    /// The file of a program. A name that ends in `.elf` also stands for the file without that ending, which is how
    /// cargo names it.
    pub(crate) fn path(&self, domain: &str, program: &Path) -> Result<PathBuf, Error> {
        let bare = program.with_extension("");
        let names = [Some(program), (program.extension() == Some("elf".as_ref())).then_some(bare.as_path())];
        names
            .iter()
            .flatten()
            .flat_map(|name| self.search_paths.iter().map(move |directory| directory.join(name)))
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
        let symbols = symbols.map(|symbols| self.path(domain, symbols)).transpose()?;
        ElfFile::from_split_paths(&path, symbols.as_deref()).map_err(|cause| Error::Program { path, cause })
    }
}
