//! What the evidence lacks, with the reasons, and what in it does not show that all is well.

/// What is missing, and what failed.
#[derive(Default)]
pub(super) struct Gaps {
    /// Files that other evidence has, each with the reason why this has not.
    pub(super) missing: Vec<(&'static str, String)>,
    /// What failed. The command ends with an error if there is any.
    pub(super) failures: Vec<String>,
}

impl Gaps {
    /// Notes that a file is missing.
    pub(super) fn missing(&mut self, file: &'static str, why: impl Into<String>) {
        self.missing.push((file, why.into()));
    }

    /// Notes that something failed.
    pub(super) fn failure(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }
}
