//! The package that is compiled for a platform: the sources and dependencies of the project's own package,
//! with the platform's `runtime` in place of the one that the project names.
//!
//! A package cannot do that itself. Cargo would have to resolve the dependencies of all platforms at once,
//! and those of Microkit come from git.

use crate::file::{self, FileError};
use cargo_metadata::{Dependency, DependencyKind, Package, Target};
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The crate that every program of a protection domain links, by the name that it has there.
const RUNTIME: &str = "runtime";
/// Ferry's crates that a project may name, and their directories.
const CRATES: [(&str, &str); 5] = [
    ("ferry-audit", "audit"),
    ("ferry-client", "client-pd"),
    ("ferry-guard", "guard"),
    ("ferry-layout", "layout"),
    ("ferry-platform", "platform/api"),
];

/// A package that is to be compiled for a platform.
pub(super) struct Stage<'a> {
    pub(super) package: &'a Package,
    /// The directory of Ferry's sources.
    pub(super) ferry: &'a Path,
    /// The platform's directory below `platform/`, which is also the end of the name of its runtime.
    pub(super) platform: &'a str,
    /// The lock file to begin with.
    pub(super) lock: &'a Path,
}

impl Stage<'_> {
    /// Writes the manifest into `directory`, and the lock file if another one is to begin with.
    pub(super) fn write(&self, directory: &Path) -> Result<(), FileError> {
        fs::create_dir_all(directory).map_err(file::failed("create", directory))?;
        if let Ok(begin) = fs::read_to_string(self.lock)
            && update(&directory.join("Cargo.lock.begin"), &begin)?
        {
            update(&directory.join("Cargo.lock"), &begin)?;
        }
        update(&directory.join("Cargo.toml"), &self.manifest().to_string())?;
        Ok(())
    }

    fn manifest(&self) -> Table {
        let mut manifest = Table::new();
        manifest.insert("workspace".into(), Table::new().into());
        manifest.insert("package".into(), self.description().into());
        let targets = &self.package.targets;
        if let Some(library) = targets.iter().find(|target| target.is_lib()) {
            manifest.insert("lib".into(), place(library).into());
        }
        let programs = targets.iter().filter(|target| target.is_bin());
        manifest.insert("bin".into(), programs.map(|it| Value::from(place(it))).collect::<Vec<_>>().into());
        let features = self.package.features.iter();
        let features = features.map(|(name, enables)| (name.clone(), strings(enables)));
        manifest.insert("features".into(), features.collect::<Table>().into());
        self.dependencies(&mut manifest);
        manifest.insert("profile".into(), profiles().into());
        manifest
    }

    /// The table `package`.
    fn description(&self) -> Table {
        let mut table = Table::new();
        table.insert("name".into(), self.package.name.as_str().into());
        table.insert("version".into(), self.package.version.to_string().into());
        table.insert("edition".into(), self.package.edition.as_str().into());
        // Only what is listed is a program.
        for automatic in ["autobins", "autolib", "autotests", "autobenches", "autoexamples"] {
            table.insert(automatic.into(), false.into());
        }
        let script = self.package.targets.iter().find(|target| target.is_custom_build());
        table.insert(
            "build".into(),
            script.map_or_else(|| false.into(), |script| script.src_path.as_str().into()),
        );
        table
    }

    fn dependencies(&self, manifest: &mut Table) {
        let mut normal = Table::new();
        for dependency in &self.package.dependencies {
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
            if name == RUNTIME {
                continue;
            }
            let section = match dependency.kind {
                DependencyKind::Normal => "dependencies",
                DependencyKind::Build => "build-dependencies",
                _ => continue,
            };
            let entry = self.dependency(dependency);
            match &dependency.target {
                None if section == "dependencies" => drop(normal.insert(name.clone(), entry.into())),
                None => drop(table(manifest, &[section]).insert(name.clone(), entry.into())),
                Some(target) => {
                    let target = target.to_string();
                    table(manifest, &["target", &target, section]).insert(name.clone(), entry.into());
                }
            }
        }
        let platform = self.platform;
        let mut runtime = Table::new();
        runtime.insert("package".into(), format!("ferry-runtime-{platform}").into());
        let path = self.ferry.join("platform").join(platform).join("runtime");
        runtime.insert("path".into(), text(&path));
        normal.insert(RUNTIME.into(), runtime.into());
        manifest.insert("dependencies".into(), normal.into());
    }

    /// One dependency, with what the project's manifest says of it.
    fn dependency(&self, dependency: &Dependency) -> Table {
        let mut table = Table::new();
        table.insert("package".into(), dependency.name.as_str().into());
        let own = CRATES.iter().find(|(name, _)| *name == dependency.name);
        if let Some((_, directory)) = own {
            // All of Ferry's crates must come from one place, or a type of one is another type for the next.
            table.insert("path".into(), text(&self.ferry.join(directory)));
        } else if let Some(path) = &dependency.path {
            table.insert("path".into(), path.as_str().into());
        } else {
            table.insert("version".into(), dependency.req.to_string().into());
            if let Some(source) = &dependency.source {
                git(&source.repr, &mut table);
            }
        }
        table.insert("default-features".into(), dependency.uses_default_features.into());
        table.insert("optional".into(), dependency.optional.into());
        table.insert("features".into(), strings(&dependency.features));
        table
    }
}

/// Writes a file, unless it has this text: Cargo would take one that was written again to be new. Returns
/// whether it was written.
fn update(path: &Path, text: &str) -> Result<bool, FileError> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(false);
    }
    fs::write(path, text).map_err(file::failed("write", path))?;
    Ok(true)
}

/// Adds the keys for a source such as `git+https://example.org/crate?rev=0123#0123`.
fn git(source: &str, table: &mut Table) {
    let Some(address) = source.strip_prefix("git+") else { return };
    let address = address.split_once('#').map_or(address, |(address, _)| address);
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    table.remove("version");
    table.insert("git".into(), address.into());
    if let Some((key, value)) = query.split_once('=') {
        table.insert(key.to_owned(), value.into());
    }
}

/// Name and source of a target.
fn place(target: &Target) -> Table {
    let mut table = Table::new();
    table.insert("name".into(), target.name.as_str().into());
    table.insert("path".into(), target.src_path.as_str().into());
    if !target.required_features.is_empty() {
        table.insert("required-features".into(), strings(&target.required_features));
    }
    table
}

/// The profiles of Ferry's own programs. If they differed, what both have in common would be compiled twice.
fn profiles() -> Table {
    let mut release = Table::new();
    release.insert("debug".into(), "line-tables-only".into());
    let mut build = release.clone();
    build.insert("debug-assertions".into(), true.into());
    build.insert("overflow-checks".into(), true.into());
    release.insert("build-override".into(), build.into());
    let mut whole = Table::new();
    whole.insert("inherits".into(), "release".into());
    whole.insert("lto".into(), "fat".into());
    whole.insert("codegen-units".into(), 1.into());
    let mut profiles = Table::new();
    profiles.insert("release".into(), release.into());
    profiles.insert("protection-domain".into(), whole.into());
    profiles
}

/// The table at a path of keys. It is made if it is missing.
fn table<'a>(manifest: &'a mut Table, keys: &[&str]) -> &'a mut Table {
    keys.iter().fold(manifest, |table, key| {
        let entry = table.entry((*key).to_owned()).or_insert_with(|| Table::new().into());
        match entry {
            Value::Table(table) => table,
            _ => unreachable!("only tables are written under these keys"),
        }
    })
}

fn strings(values: &[String]) -> Value {
    values.iter().map(|value| Value::from(value.as_str())).collect::<Vec<_>>().into()
}

fn text(path: &Path) -> Value {
    let absolute: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.to_string_lossy().into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_those_of_both_workspaces() {
        for workspace in
            [include_str!("../../../Cargo.toml"), include_str!("../../../platform/microkit/Cargo.toml")]
        {
            let manifest: Table = workspace.parse().unwrap();
            let theirs = manifest["profile"].as_table().unwrap();
            for (name, profile) in profiles() {
                if name == "release" || theirs.contains_key(&name) {
                    assert_eq!(theirs[&name], profile, "{name}");
                }
            }
        }
    }
}
