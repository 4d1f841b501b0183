//! Links the check, without and with a planted panic.

use std::process::{Command, Output};

const TARGET: &str = "x86_64-unknown-none";

/// Builds the check as the release of central is built, apart from the build that runs this test.
fn link(planted: bool) -> Output {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_X86_64_UNKNOWN_NONE_RUSTFLAGS", "-Crelocation-model=static")
        .args(["build", "--quiet", "--release", "--package", "ferry-panic-check", "--target", TARGET])
        .args(["--target-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/panic-check")]);
    if planted {
        cargo.args(["--features", "planted"]);
    }
    cargo.output().expect("cargo can be started")
}

#[test]
fn no_panic_can_be_reached_from_the_engine() {
    let clean = link(false);
    assert!(clean.status.success(), "{}", String::from_utf8_lossy(&clean.stderr));

    let planted = link(true);
    let message = String::from_utf8_lossy(&planted.stderr);
    assert!(!planted.status.success(), "a planted panic must not link");
    assert!(message.contains("a_panic_can_be_reached_from_the_engine"), "for the right reason: {message}");
}
