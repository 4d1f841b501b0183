//! The source of a client: where it lies, and what becomes of it when the client is removed. Only one that is
//! still what a template gave is removed as well.

use super::write::Change;
use crate::error::Error;
use crate::output::line;
use crate::templates::{self, Language};
use clap::ValueEnum;
use std::fs;
use std::path::{Path, PathBuf};

/// The source of a client that is to be removed.
pub(super) struct Source {
    path: PathBuf,
    /// Its removal, if it is still what a template gave.
    pub(super) removal: Option<Change>,
}

impl Source {
    /// The source of a client. One in C only if there is one, because most are in Rust.
    pub(super) fn find(system: &Path, sources: Option<&Path>, name: &str) -> Self {
        let of_language = |lang: &Language| (*lang, source_path(system, sources, *lang, name));
        let mut places = Language::value_variants().iter().rev().map(of_language);
        let (lang, path) =
            places.find(|(_, path)| path.exists()).unwrap_or_else(|| of_language(&Language::default()));
        let text = fs::read_to_string(&path).ok();
        let unchanged = text.filter(|text| templates::is_unchanged(text, lang, name));
        let removal = unchanged.map(|text| Change { path: path.clone(), before: Some(text), after: None });
        Self { path, removal }
    }

    /// Says what has become of it.
    pub(super) fn report(&self) -> Result<(), Error> {
        let path = self.path.display();
        if self.removal.is_some() {
            line(format_args!("  {path}: its source, which nobody had changed"))?;
        } else if self.path.exists() {
            line(format_args!("kept {path}, because it is not what a template gave; remove it yourself"))?;
        }
        Ok(())
    }
}

/// Where the source of a client lies: `sources` is relative to the directory of the system description.
pub(super) fn source_path(system: &Path, sources: Option<&Path>, lang: Language, name: &str) -> PathBuf {
    let sources = sources.unwrap_or(Path::new(lang.directory()));
    let directory = system.parent().unwrap_or(Path::new("")).join(sources);
    directory.join(name).with_added_extension(lang.extension())
}
