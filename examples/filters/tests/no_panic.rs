//! Links `no_panic/program.rs` with the filters as a guard has them on seL4, without and with a planted
//! panic. The package of the filters needs an operating system, because its programs link a platform's
//! `runtime`. So their library is compiled from a manifest without these.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const TARGET: &str = "x86_64-unknown-none";

const MANIFEST: &str = r#"
[workspace]

[package]
name = "ferry-filters-no-panic"
version = "0.1.0"
edition = "2024"

[lib]
name = "ferry_example_filters"
path = "{here}/src/lib.rs"

[[bin]]
name = "no_panic"
path = "{here}/tests/no_panic/program.rs"

[dependencies]
ferry-guard = { path = "{here}/../../guard" }
heapless = "0.9"
minicbor = { version = "2.3", default-features = false }
winnow = { version = "1", default-features = false, features = ["binary"] }
"#;

/// Builds the program. Its dependencies have the versions of this checkout.
fn link(planted: bool) -> Output {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_panic");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("Cargo.toml"), MANIFEST.replace("{here}", here.to_str().unwrap())).unwrap();
    fs::copy(here.join("../../Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&directory)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_X86_64_UNKNOWN_NONE_RUSTFLAGS", "-Crelocation-model=static -Crelro-level=off")
        .args(["build", "--quiet", "--release", "--target", TARGET]);
    if planted {
        cargo.env("FERRY_PLANTED_PANIC", "1");
    }
    cargo.output().expect("cargo can be started")
}

#[test]
fn no_panic_can_be_reached_from_a_message() {
    let clean = link(false);
    assert!(
        clean.status.success(),
        "to find the call, link it with -Clink-arg=--defsym=a_panic_can_be_reached_from_a_filter=0 and look for \
         core::panicking in the disassembly\n{}",
        String::from_utf8_lossy(&clean.stderr)
    );

    let planted = link(true);
    let message = String::from_utf8_lossy(&planted.stderr);
    assert!(!planted.status.success(), "a planted panic must not link");
    assert!(message.contains("a_panic_can_be_reached_from_a_filter"), "for the right reason: {message}");
}
