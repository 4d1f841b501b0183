//! `ferry audit`: verifies an audit log, and prints its records in words. The log is a file: a copy of the
//! region, the records one after another as a logger kept them, or a console with the lines of a logger.

mod error;

use crate::error::Error;
use crate::file;
use crate::output::line;
use crate::project::FilesArguments;
use clap::{Args, Subcommand};
use ferry_audit::{Anchors, Hash, Kept, NotKept, ORIGIN, Words, verify};
use ferry_description::count;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use error::AuditError;

/// The most findings that are printed. A log in another order has one for each record.
const MOST_FINDINGS: usize = 50;

#[derive(Clone, Debug, Args)]
pub(crate) struct AuditArguments {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AuditCommand {
    /// Say whether a log is what central wrote, and if not, which record was changed, taken out or moved.
    Verify(VerifyArguments),
    /// Print the records of a log in words.
    Show(ShowArguments),
}

#[derive(Clone, Debug, Args)]
struct VerifyArguments {
    /// The log: a copy of the region, records one after another, or a console with the lines of a logger.
    file: PathBuf,
    /// The log must begin right after the record with this hash.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    after: Option<Hash>,
    /// The log must contain the record with this hash, for example the newest of an earlier time.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    expect: Option<Hash>,
}

#[derive(Clone, Debug, Args)]
struct ShowArguments {
    /// The log, in the same forms as for `verify`.
    file: PathBuf,
    /// Whose names the clients have. Without a system, they have numbers.
    #[command(flatten)]
    files: FilesArguments,
}

fn hash(text: &str) -> Result<Hash, String> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok())).collect();
    let bytes: Vec<u8> = digits
        .unwrap_or_default()
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |all, digit| all << 4 | digit))
        .collect();
    let is_whole = text.len() == 2 * size_of::<Hash>();
    let hash = if is_whole { bytes.try_into().ok() } else { None };
    hash.ok_or_else(|| "write the 64 hexadecimal digits that `ferry audit verify` has printed".into())
}

/// Obeys `ferry audit`.
pub(crate) fn audit(arguments: &AuditArguments) -> Result<(), Error> {
    match &arguments.command {
        AuditCommand::Verify(arguments) => say(arguments),
        AuditCommand::Show(arguments) => show(arguments),
    }
}

/// Checks the records of an audit log among the lines of a console. Returns how many there are.
pub(crate) fn check_console(lines: &[String]) -> Result<usize, AuditError> {
    let file = PathBuf::from("the console");
    let kept = Kept::read(lines.join("\n").as_bytes());
    let kept = kept.map_err(|cause| AuditError::NotKept { file: file.clone(), cause })?;
    // The first record of all is the first one that a logger keeps.
    let verified = verify(&kept.records, Anchors { after: Some(ORIGIN), expect: None });
    let mut findings = kept.findings.iter().chain(&verified.findings);
    match findings.next() {
        Some(first) => Err(AuditError::Console { finding: first.to_string(), more: findings.count() }),
        None => Ok(kept.records.len()),
    }
}

/// What the console of a run shows of the audit log of its system, as one line. A logger may keep the records
/// elsewhere, and a run can end before the first one is printed. So a console without any is no failure.
pub(crate) fn of_run(lines: &[String]) -> Result<String, AuditError> {
    match check_console(lines) {
        Ok(records) => Ok(format!("audit log: intact, {}", count(records, "record"))),
        Err(AuditError::NotKept { cause: NotKept::Unknown, .. }) => {
            Ok("audit log: no record is on the console".to_owned())
        }
        Err(error) => Err(error),
    }
}

fn read(file: &Path) -> Result<Kept, Error> {
    let bytes = fs::read(file).map_err(file::failed("read", file))?;
    let kept = Kept::read(&bytes).map_err(|cause| AuditError::NotKept { file: file.to_owned(), cause })?;
    Ok(kept)
}

fn say(arguments: &VerifyArguments) -> Result<(), Error> {
    let file = &arguments.file;
    let kept = read(file)?;
    let verified = verify(&kept.records, Anchors { after: arguments.after, expect: arguments.expect });
    let findings: Vec<_> = kept.findings.iter().chain(&verified.findings).collect();
    for finding in findings.iter().take(MOST_FINDINGS) {
        line(format_args!("{finding}"))?;
    }
    if let Some(more) = findings.len().checked_sub(MOST_FINDINGS).filter(|more| *more != 0) {
        line(format_args!("and {more} more"))?;
    }
    if !findings.is_empty() {
        return Err(AuditError::Broken { file: file.clone(), findings: findings.len() }.into());
    }
    let (Some((first, last)), Some(newest)) = (verified.range, verified.newest) else {
        return Err(AuditError::NoRecord { file: file.clone() }.into());
    };
    let records = count(kept.records.len(), "record");
    line(format_args!("intact: {records}, from number {first} to {last}"))?;
    let digits = newest.map(|byte| format!("{byte:02x}")).concat();
    line(format_args!("newest: {digits}"))?;
    Ok(())
}

fn show(arguments: &ShowArguments) -> Result<(), Error> {
    let kept = read(&arguments.file)?;
    let description = match arguments.files.project()? {
        Some(project) => Some(project.files.load(&[])?),
        None => None,
    };
    let clients = description.iter().flat_map(|description| &description.clients);
    let names: Vec<&str> = clients.map(|client| client.name.as_str()).collect();
    for record in &kept.records {
        line(format_args!("{}", Words { record, names: &names }))?;
    }
    for finding in &kept.findings {
        line(format_args!("{finding}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{hash, of_run};
    use ferry_audit::{Line, Writer};
    use ferry_layout::{AuditLog, AuditSlot};

    /// The console of a logger that has printed central's first record, and the next one.
    fn console() -> Vec<String> {
        let slots: Vec<AuditSlot> = (0..4).map(|_| AuditSlot::default()).collect();
        let log = AuditLog::new(&slots).unwrap();
        for _ in 0..2 {
            let _ = Writer::resume(log);
        }
        let records = (0..2).map(|number| format!("logger | {}", Line(&log.load(number))));
        ["sender | hello".to_owned()].into_iter().chain(records).collect()
    }

    #[test]
    fn a_run_says_whether_the_log_on_its_console_is_what_central_wrote() {
        let mut lines = console();
        assert_eq!(of_run(&lines).unwrap(), "audit log: intact, 2 records");
        assert_eq!(of_run(&lines[..1]).unwrap(), "audit log: no record is on the console");
        lines.remove(1);
        let error = of_run(&lines).unwrap_err().to_string();
        let begin = "the audit log on the console is not what central wrote, or not all of it: ";
        assert!(error.starts_with(begin) && !error.ends_with(" 0 more"), "{error}");
        let mut changed = console();
        let _ = changed[2].pop();
        assert!(of_run(&changed).unwrap_err().to_string().starts_with(begin));
    }

    #[test]
    fn a_hash_has_64_digits() {
        let text = "00ff".repeat(16);
        let bytes = hash(&text).unwrap();
        assert_eq!(bytes[..4], [0, 0xff, 0, 0xff]);
        for wrong in ["", "00", &text[1..], &format!("{text}0"), &text.replace("ff", "fg")] {
            assert!(hash(wrong).is_err(), "{wrong}");
        }
    }
}
