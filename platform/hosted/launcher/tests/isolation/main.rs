//! What the hosted platform promises, tried out with real processes: a read-only mapping stays so, nobody has
//! a file that it should not have, a client that crashes is reported and harms nobody, no process
//! outlives the launcher, and the launcher's exit status says how the system ended.
//!
//! This program is both sides. Started by `cargo test` it runs the trials: each starts the launcher with the
//! system of `system.xml`, in which every program is a link to this file. Started by such a link,
//! `TRIAL/alpha` for instance, it is that protection domain and does what the trial wants of it. Beta prints
//! a line at each tick, for as long as it, central and the ticker live.

mod domains;
mod endings;
mod intruder;
mod outsider;
mod trials;
mod walk;
mod watch;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let program = std::env::args_os().next().unwrap_or_default();
    let path = Path::new(&program);
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name).and_then(|name| name.to_str()).map(str::to_owned)
    };
    match (name(path.parent()), name(Some(path))) {
        (Some(trial), Some(domain)) if domains::NAMES.contains(&domain.as_str()) => {
            domains::play(&trial, &domain)
        }
        _ => libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials::all()).exit_code(),
    }
}
