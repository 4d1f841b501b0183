//! `index.md`: what the evidence is of, what is in it, what is missing and why, and what it does not show.

use super::bundle::{Bundle, GRAPH, INDEX, REPORT, REPORT_TEXT, VERSIONS};
use super::gaps::Gaps;
use super::image;
use super::outcomes::{TESTS, TESTS_TEXT, TIMES};
use super::subject::Subject;
use super::sums::SUMS;
use super::versions::Versions;
use crate::target::Platform;
use ferry_description::shown;
use std::fmt::{self, Write};

/// Each file, and what it is. A name that ends with `/` stands for all files below it.
const FILES: [(&str, &str); 15] = [
    (INDEX, "this page"),
    ("description/", "the files that describe the system and its tests, as they were"),
    (
        REPORT_TEXT,
        "the isolation report of `ferry check`: who can read and write what, and every other influence",
    ),
    (REPORT, "the same for programs, as `docs/check.schema.json` of Ferry describes it"),
    (GRAPH, "the same as a drawing, of `ferry graph`"),
    (
        image::IMAGE_SUMS,
        "hashes of the image's files: run `sha256sum -c` with it in the directory of `ferry image`",
    ),
    (image::HASHES, "hashes and sizes of the image, of every program, and of what regions are filled with"),
    (image::LOCK, "the versions of all crates that the project's programs were compiled from"),
    (image::INSPECTION, "what `ferry inspect` found when it read the image back"),
    (TESTS_TEXT, "what became of each test of `description/test.toml`, and what a failed one printed"),
    (TESTS, "the same for programs"),
    (TIMES, "when this was made, and how long each test took; only this differs if nothing has changed"),
    (VERSIONS, "the versions of the sources, of the target and of the tools; null is what nobody could say"),
    ("planted-faults/", "Ferry's own tables of planted faults: which test fails for which fault"),
    (SUMS, "hashes of all other files here, for `sha256sum -c`"),
];

/// The text of the page. `bundle` holds all other files.
pub(super) fn text(subject: &Subject<'_>, versions: &Versions, bundle: &Bundle, gaps: &Gaps) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, subject, versions, bundle, gaps);
    text
}

fn write(
    text: &mut String,
    subject: &Subject<'_>,
    versions: &Versions,
    bundle: &Bundle,
    gaps: &Gaps,
) -> fmt::Result {
    let name = shown(&versions.project.name).into_owned();
    writeln!(text, "# Evidence for `{name}`\n")?;
    writeln!(text, "Made by `{}`, of ferry {}.\n", subject.command(), env!("CARGO_PKG_VERSION"))?;
    let target = &versions.target;
    let place = [target.board, target.config].into_iter().flatten();
    let place = place.fold(target.platform.to_owned(), |place, word| format!("{place}, {word}"));
    writeln!(text, "* Target: {place}{}", if target.product { ", for use" } else { "" })?;
    writeln!(text, "* Kernel: {}", versions.kernel.as_deref().unwrap_or("unknown"))?;
    let commit = versions.project.git.as_ref().map_or_else(
        || "not in Git".to_owned(),
        |git| format!("commit {}{}", git.commit, if git.changed { ", with changes" } else { "" }),
    );
    writeln!(text, "* Sources of the project: {commit}")?;
    let failures = if gaps.failures.is_empty() { "nothing".to_owned() } else { gaps.failures.join("; ") };
    writeln!(text, "* What failed: **{failures}**")?;
    writeln!(text, "\n## What is here\n\n| file | what it is |\n| --- | --- |")?;
    let is_here = |name: &str| {
        [INDEX, SUMS].contains(&name)
            || bundle.names().any(|file| file == name || name.ends_with('/') && file.starts_with(name))
    };
    for (file, what) in FILES.iter().filter(|(file, _)| is_here(file)) {
        writeln!(text, "| `{file}` | {what} |")?;
    }
    if !gaps.missing.is_empty() {
        writeln!(text, "\n## What is missing\n\n| file | why |\n| --- | --- |")?;
        for (file, why) in &gaps.missing {
            writeln!(text, "| `{file}` | {why} |")?;
        }
    }
    writeln!(text, "\n## What this does not show\n")?;
    for what in limits(subject) {
        writeln!(text, "* {what}")?;
    }
    text.write_str(CHECK)
}

/// What a reader could take this for, and it is not.
fn limits(subject: &Subject<'_>) -> impl Iterator<Item = &'static str> {
    let of_platform = match subject.target.platform {
        Platform::Hosted => "The isolation of the hosted platform is that of Linux. No kernel of seL4 ran.",
        Platform::Classic => {
            "The classic platform boots a kernel of 2017 without proofs. It is for tests: make no security claim from it."
        }
        Platform::Microkit if subject.product => {
            "An image for use prints nothing, so the tests ran in images with another supervisor."
        }
        Platform::Microkit => {
            "In this image any protection domain can print and end the machine; one of `--product` lets none."
        }
    };
    [
        "The isolation report follows from the description. It says nothing of time: who runs when, and what caches hold.",
        of_platform,
        "A test is judged by what protection domains print. It shows that the system works, not that it is isolated.",
        "The planted faults are those of Ferry's own code. Nothing was planted into this project.",
        "`SHA256SUMS` shows accidents. Who can change a file here can change its sum: sign `SHA256SUMS`, and keep \
         the signature elsewhere.",
    ]
    .into_iter()
}

const CHECK: &str = "
## How to check it

```sh
sha256sum -c SHA256SUMS         # in this directory
ferry evidence --verify .       # the same, and it also says what was added
ferry evidence ANOTHER          # in the project, at the same commit, with the same options
```

`docs/evaluation.md` of Ferry says which controls the guarantees answer, by which code and which tests, and
what is not covered.
";
