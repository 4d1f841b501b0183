//! `ferry-hosted`: runs a system as Linux processes. Its standard output is the system's console, and its
//! exit status is the code with which the system ends. QEMU's output and exit status say the same of a system
//! on seL4, so the command line judges both alike.

use clap::Parser;
use ferry_description::{Description, Domain, Source};
use ferry_hosted_launcher::{Ending, Prefill, Scheduling, may_prioritise, start};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Exit status if no domain has ended the system. Codes of systems are small.
const NOT_ENDED: u8 = 124;

#[derive(Parser)]
#[command(about = "Runs a system description as Linux processes")]
struct Arguments {
    /// The system description.
    #[arg(long, value_name = "FILE", default_value = "system.xml")]
    system: PathBuf,
    /// The flows: who may send to whom.
    #[arg(long, value_name = "FILE", default_value = "flows.toml")]
    flows: PathBuf,
    /// The program of a domain; one for each.
    #[arg(long, value_name = "DOMAIN=FILE", value_parser = program)]
    program: Vec<(String, PathBuf)>,
    /// Fills a region with a file; it grows if it has to.
    #[arg(long, value_name = "REGION=FILE", value_parser = prefill)]
    prefill: Vec<(String, PathBuf)>,
    /// Seconds after which the system is ended.
    #[arg(long, value_name = "SECONDS")]
    limit: Option<u64>,
    /// How many processors the system may use: all if it is not given. With 1, domains take turns as they do
    /// on seL4.
    #[arg(long, value_name = "NUMBER")]
    processors: Option<usize>,
    /// Runs domains by their priorities, as seL4 does. Linux does not allow that to every user.
    #[arg(long)]
    priorities: bool,
    /// Gives a domain this priority, whatever the description says and even if that is against the rules; may
    /// be repeated.
    #[arg(long, value_name = "DOMAIN=NUMBER", value_parser = priority)]
    priority: Vec<(String, u8)>,
    /// Only says by its exit status whether this user may use `--priorities`.
    #[arg(long)]
    may_prioritise: bool,
}

fn prefill(text: &str) -> Result<(String, PathBuf), String> {
    let (region, file) = text.split_once('=').ok_or("write it as REGION=FILE")?;
    Ok((region.to_owned(), file.into()))
}

fn program(text: &str) -> Result<(String, PathBuf), String> {
    let (domain, file) = text.split_once('=').ok_or("write it as DOMAIN=FILE")?;
    Ok((domain.to_owned(), file.into()))
}

fn priority(text: &str) -> Result<(String, u8), String> {
    let what = "write it as DOMAIN=NUMBER";
    let (domain, number) = text.split_once('=').ok_or(what)?;
    Ok((domain.to_owned(), number.parse().map_err(|_| what)?))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.may_prioritise {
        return if may_prioritise() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match run(&arguments) {
        Ok(Ending::Exit { code, .. }) => ExitCode::from(code),
        Ok(Ending::NoProcessLeft) => {
            eprintln!("ferry-hosted: all processes have ended, but no domain has ended the system");
            ExitCode::from(NOT_ENDED)
        }
        Ok(Ending::TimeLimit) => {
            eprintln!("ferry-hosted: the system did not end in time; raise --limit");
            ExitCode::from(NOT_ENDED)
        }
        Err(error) => {
            eprintln!("ferry-hosted: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Ending, Box<dyn Error>> {
    let mut prefills: Vec<Prefill> = Vec::new();
    for (region, file) in &arguments.prefill {
        let contents =
            std::fs::read(file).map_err(|cause| format!("could not read {}: {cause}", file.display()))?;
        prefills.push((region.clone(), contents));
    }
    let grown: BTreeMap<&str, u64> =
        prefills.iter().map(|(region, contents)| (region.as_str(), contents.len() as u64)).collect();
    let grown: Vec<(&str, u64)> = grown.into_iter().collect();
    let (system, flows) = (Source::read(&arguments.system)?, Source::read(&arguments.flows)?);
    let mut description =
        Description::check(&system, &flows, &grown).map_err(|mistakes| mistakes.render(false))?;
    for (name, priority) in &arguments.priority {
        let number = description.system.domain(name).ok_or_else(|| format!("there is no domain `{name}`"))?;
        description.system.domains[number].priority = *priority;
    }
    let programs: BTreeMap<&str, &PathBuf> =
        arguments.program.iter().map(|(domain, file)| (domain.as_str(), file)).collect();
    let program = |domain: &Domain| programs.get(domain.name.as_str()).map(|file| (*file).clone());
    if let Some(processors) = arguments.processors {
        keep_to(processors)?;
    }
    let scheduling = if arguments.priorities { Scheduling::ByPriority } else { Scheduling::Linux };
    let running = start(&description, &program, &prefills, scheduling, std::io::stdout().into())?;
    Ok(running.serve(arguments.limit.map(Duration::from_secs))?)
}

/// Keeps this program, and what it starts, to `processors` of the processors that it may use now. Its process
/// number decides which ones, so that several systems at a time spread out.
fn keep_to(processors: usize) -> rustix::io::Result<()> {
    let usable = sched_getaffinity(None)?;
    let usable: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|processor| usable.is_set(*processor)).collect();
    let first = usize::try_from(std::process::id()).unwrap_or(0);
    let mut kept = CpuSet::new();
    for number in first..first.saturating_add(processors.clamp(1, usable.len().max(1))) {
        if let Some(processor) = usable.get(number % usable.len().max(1)) {
            kept.set(*processor);
        }
    }
    sched_setaffinity(None, &kept)
}
