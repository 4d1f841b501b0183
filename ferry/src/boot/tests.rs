//! Tests of the judge. Shell scripts stand in for emulators.

use super::*;

fn emulator(script: &str) -> Bootable {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Bootable { command, status_of: |code| i32::from(code) * 2 + 1 }
}

fn expectation() -> Expectation {
    Expectation {
        lines: vec!["receiver | received bytes=3".into()],
        fault: None,
        ending: Ending::Exit(0),
        limit: Duration::from_secs(10),
    }
}

fn judge(script: &str, expectation: &Expectation) -> Result<Boot, BootError> {
    boot(emulator(script), expectation, &mut |_| true)
}

#[test]
fn lines_exit_code_and_status_make_a_success() {
    let script = "printf 'Booting\\n\\rreceiver | received bytes=3 messages=1\\n\\rferry: exit domain=receiver code=0\\n'; exit 1";
    let mut seen = Vec::new();
    let boot = boot(emulator(script), &expectation(), &mut |line| {
        seen.push(line.to_owned());
        true
    })
    .unwrap();
    assert_eq!(boot.console, seen);
    assert_eq!(seen[1], "receiver | received bytes=3 messages=1");
}

#[test]
fn a_missing_line_is_a_failure() {
    let error = judge("echo 'ferry: exit domain=receiver code=0'; exit 1", &expectation()).unwrap_err();
    assert!(matches!(error.failure, Failure::Missing(_)), "{error}");
    assert!(error.to_string().contains("  | ferry: exit domain=receiver code=0"), "{error}");
}

#[test]
fn a_fault_is_a_failure_and_ends_the_wait() {
    let script = "echo 'ferry: fault domain=central kind=read address=0x0 instruction=0x0'; exec sleep 60";
    let start = Instant::now();
    let error = judge(script, &expectation()).unwrap_err();
    assert!(matches!(&error.failure, Failure::Trouble(line) if line.contains("domain=central")), "{error}");
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_machine_that_never_ends_is_stopped() {
    let expectation = Expectation { limit: Duration::from_millis(300), ..expectation() };
    let start = Instant::now();
    let error = judge("echo 'receiver | received bytes=3'; exec sleep 60", &expectation).unwrap_err();
    assert!(matches!(error.failure, Failure::Timeout(_)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[test]
fn another_exit_code_is_a_failure() {
    let script = "echo 'receiver | received bytes=3'; echo 'ferry: exit domain=receiver code=1'; exit 3";
    let error = judge(script, &expectation()).unwrap_err();
    assert!(matches!(error.failure, Failure::Code { found: 1, wanted: 0 }), "{error}");
}

#[test]
fn an_emulator_that_fails_is_no_exit_of_the_system() {
    let error = judge("echo 'could not load the kernel' >&2; exit 1", &expectation()).unwrap_err();
    assert!(matches!(error.failure, Failure::Stopped(Some(1))), "{error}");
    assert!(error.to_string().contains("  | could not load the kernel"), "{error}");
}

#[test]
fn the_status_must_agree_with_the_reported_code() {
    let script = "echo 'receiver | received bytes=3'; echo 'ferry: exit domain=receiver code=0'; exit 0";
    let error = judge(script, &expectation()).unwrap_err();
    assert!(matches!(error.failure, Failure::Status(Some(0))), "{error}");
}

#[test]
fn an_expected_fault_must_happen_and_no_other() {
    let expectation = Expectation {
        lines: vec!["witness: unmap".into()],
        fault: Some(("central".into(), "read".into(), 1)),
        ending: Ending::AfterFault,
        limit: Duration::from_secs(10),
    };
    let fault = "echo 'ferry: fault domain=central kind=read address=0x0 instruction=0x0'";
    let start = Instant::now();
    judge(&format!("echo 'witness: unmap alpha'; {fault}; exec sleep 60"), &expectation).unwrap();
    assert!(start.elapsed() < Duration::from_secs(8), "the fault ends the machine");

    let error = judge("echo 'witness: unmap alpha'", &expectation).unwrap_err();
    assert!(matches!(error.failure, Failure::NoFault { .. }), "{error}");
    let write = fault.replace("kind=read", "kind=write");
    let error = judge(&format!("{write}; {fault}"), &expectation).unwrap_err();
    assert!(matches!(&error.failure, Failure::Trouble(line) if line.contains("kind=write")), "{error}");
}

#[test]
fn a_missing_program_is_reported() {
    let missing = Bootable { command: Command::new("/no/such/emulator"), status_of: i32::from };
    let error = boot(missing, &expectation(), &mut |_| true).unwrap_err();
    assert!(error.to_string().contains("could not start /no/such/emulator"), "{error}");
}

#[test]
fn a_machine_does_not_outlive_the_thread_that_started_it() {
    use std::os::unix::process::ExitStatusExt;
    let start = Instant::now();
    let started = std::thread::spawn(|| {
        let mut command = Command::new("sleep");
        binding::end_with_this_thread(command.arg("60"));
        command.spawn().unwrap()
    });
    let status = started.join().unwrap().wait().unwrap();
    assert_eq!(status.signal(), Some(rustix::process::Signal::KILL.as_raw()));
    assert!(start.elapsed() < Duration::from_secs(8));
}
