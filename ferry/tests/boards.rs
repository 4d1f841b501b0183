//! Boards and configurations that a Microkit SDK lacks, and boards that nothing emulates: each is a clear
//! word, and nothing is built. The SDK is made up.

#[path = "../../platform/boards/tests/fake/mod.rs"]
mod fake;

use std::path::Path;
use std::process::Command;

/// Runs `ferry` with this SDK, which must refuse the arguments. Gives what it says.
fn refused(sdk: &Path, arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut ferry = Command::new(env!("CARGO_BIN_EXE_ferry"));
    let ferry = ferry.current_dir(root).env("MICROKIT_SDK", sdk).args(arguments);
    let output = ferry.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    said
}

const IMAGE: &[&str] = &["image", "--system", "demo/system.xml", "--output", "out", "--platform", "microkit"];

#[test]
fn a_board_that_the_sdk_lacks_is_refused_with_those_that_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let sdk = fake::sdk(directory.path(), "somewhere", &["debug"]);
    let said = refused(&sdk, &[IMAGE, &["--board", "elsewhere"]].concat());
    assert!(said.contains("has no board `elsewhere`; it has somewhere."), "{said}");
    // One of the table that this SDK was built without.
    let said = refused(&sdk, &[IMAGE, &["--board", "qemu_virt_riscv64"]].concat());
    assert!(said.contains("has no board `qemu_virt_riscv64`; it has somewhere."), "{said}");
}

#[test]
fn a_configuration_that_a_board_lacks_is_refused_with_those_that_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let sdk = fake::sdk(directory.path(), "somewhere", &["debug"]);
    let said = refused(&sdk, &[IMAGE, &["--board", "somewhere", "--config", "smp-debug"]].concat());
    assert!(
        said.contains("has no configuration `smp-debug` for the board `somewhere`; it has debug."),
        "{said}"
    );
}

#[test]
fn a_board_that_nothing_emulates_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let sdk = fake::sdk(directory.path(), "somewhere", &["debug"]);
    let said = refused(
        &sdk,
        &["run", "--system", "demo/system.xml", "--platform", "microkit", "--board", "somewhere"],
    );
    assert!(said.contains("nothing emulates the board `somewhere`"), "{said}");
}

#[test]
fn instructions_are_not_counted_on_several_cores() {
    let directory = tempfile::tempdir().unwrap();
    let sdk = fake::sdk(directory.path(), "somewhere", &["debug"]);
    let said = refused(&sdk, &["bench", "--config", "smp-release"]);
    assert!(said.contains("QEMU counts instructions only where one processor runs"), "{said}");
}
