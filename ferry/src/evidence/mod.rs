//! `ferry evidence`: writes down for an evaluator what a project is, what it was built to, and what its tests
//! showed. `ferry evidence --verify` compares such a directory with its sums.
//!
//! Everything is collected in memory, in a [`Bundle`], and becomes a directory at the end, in one step. Only
//! `times.json` depends on a clock: the same sources on the same machine give the same bytes. What is missing
//! is said with its reason, and what failed makes the command fail after all is written.

mod bundle;
mod error;
mod faults;
mod gaps;
mod git;
mod image;
mod index;
mod outcomes;
mod subject;
mod sums;
mod verify;
mod versions;

use crate::arguments::{Drawing, EvidenceArguments};
use crate::description_files::{FLOWS, SYSTEM};
use crate::error::Error;
use crate::file;
use crate::graph;
use crate::output::line;
use crate::prefill;
use crate::project::Project;
use crate::target::Platform;
use crate::test;
use bundle::{Bundle, GRAPH, INDEX, Place, REPORT, REPORT_TEXT, VERSIONS};
use ferry_description::{Verdict, count};
use gaps::Gaps;
use std::fs;
use std::sync::Arc;
use subject::Subject;
use tempfile::TempDir;
use versions::Versions;

pub(crate) use error::EvidenceError;

/// Writes evidence, or compares some that is there.
pub(crate) fn evidence(arguments: &EvidenceArguments) -> Result<(), Error> {
    if arguments.verify {
        return verify::verify(&arguments.directory);
    }
    // Before anything is built.
    let place = Place::of(&arguments.directory)?;
    let (target, project, prefills, description) = arguments.system.load()?;
    if arguments.product && target.platform != Platform::Microkit {
        return Err(Error::NoProduct);
    }
    let workspace = project.workspace()?;
    let made = directory(&project)?;
    let subject = Subject {
        arguments,
        target,
        product: arguments.product,
        project: Arc::new(project),
        prefills,
        description,
        workspace,
        directory: made.path(),
    };
    let (mut bundle, mut gaps) = (Bundle::default(), Gaps::default());
    describe(&subject, &mut bundle)?;
    let built = image::build(&subject, &mut bundle, &mut gaps)?;
    outcomes::add(&subject, built.as_ref(), &mut bundle, &mut gaps)?;
    faults::add(&subject.workspace.root, &mut bundle, &mut gaps)?;
    let versions = Versions::of(&subject, &place.directory);
    bundle.add_json(VERSIONS, &versions)?;
    bundle.add(INDEX, index::text(&subject, &versions, &bundle, &gaps));
    let files = bundle.publish(&place)?;
    line(format_args!("{}: {}", arguments.directory.display(), count(files, "file")))?;
    for (file, why) in &gaps.missing {
        line(format_args!("there is no {file}: {why}"))?;
    }
    if !gaps.failures.is_empty() {
        let (directory, what) = (arguments.directory.clone(), gaps.failures.join("; "));
        return Err(EvidenceError::NotWell { directory, what }.into());
    }
    Ok(())
}

/// Adds the files of the project, and what follows from them.
fn describe(subject: &Subject<'_>, bundle: &mut Bundle) -> Result<(), Error> {
    let project = &subject.project;
    let names = [SYSTEM, FLOWS, test::FILE].map(|name| format!("description/{name}"));
    let tests = project.directory.join(test::FILE);
    for (name, path) in names.iter().zip([&project.files.system, &project.files.flows, &tests]) {
        // The two others are there, because they have been read.
        if *path != tests || tests.exists() {
            bundle.add(name, fs::read(path).map_err(file::failed("read", path))?);
        }
    }
    // The report names places in the files of the evidence, wherever the project lies.
    let sizes = prefill::sizes(&subject.prefills);
    let description = project.files.load_as([&names[0], &names[1]], &sizes)?;
    let report = description.report();
    bundle.add(REPORT_TEXT, format!("{report}\n"));
    bundle.add(GRAPH, graph::draw(&report, Drawing::Svg));
    bundle.add_json(REPORT, &Verdict::right(&description))
}

/// A directory for the image.
fn directory(project: &Project) -> Result<TempDir, Error> {
    let products = project.products();
    fs::create_dir_all(&products).map_err(file::failed("create", &products))?;
    let made = tempfile::Builder::new().prefix("evidence-").tempdir_in(&products);
    Ok(made.map_err(file::failed("create", &products))?)
}
