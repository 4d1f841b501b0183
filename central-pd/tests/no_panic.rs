//! Links `examples/panic_check.rs`, without and with a planted panic.

use std::path::Path;
use std::process::{Command, Output};

const TARGET: &str = "x86_64-unknown-none";

/// Builds the example as the release of central is built, beside that release: what both need is compiled
/// once.
fn link(planted: bool) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_X86_64_UNKNOWN_NONE_RUSTFLAGS", "-Crelocation-model=static -Crelro-level=off")
        .args(["build", "--quiet", "--release", "--example", "panic_check", "--target", TARGET])
        .arg("--target-dir")
        .arg(target);
    if planted {
        cargo.env("FERRY_PLANTED_PANIC", "1");
    }
    cargo.output().expect("cargo can be started")
}

#[test]
fn no_panic_can_be_reached_from_the_engine() {
    let clean = link(false);
    assert!(
        clean.status.success(),
        "to find the call, link it with -Clink-arg=--defsym=a_panic_can_be_reached_from_the_engine=0 and look \
         for core::panicking in the disassembly\n{}",
        String::from_utf8_lossy(&clean.stderr)
    );

    let planted = link(true);
    let message = String::from_utf8_lossy(&planted.stderr);
    assert!(!planted.status.success(), "a planted panic must not link");
    assert!(message.contains("a_panic_can_be_reached_from_the_engine"), "for the right reason: {message}");
}
