//! What `ferry check` says about programs that are built already. The programs are made here, and lie where
//! Cargo would put them.

#[path = "../../platform/classic/image/tests/elf/mod.rs"]
mod elf;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SYSTEM: &str = include_str!("../../demo/system.xml");

/// The places of programs without floating-point registers below the directory of the project's package.
const CLASSIC: &str = "classic/build/x86_64-unknown-none/release";
const AARCH64: &str = "microkit/qemu_virt_aarch64-release/aarch64-unknown-none-softfloat/protection-domain";

/// Checks a description for a platform, in a project like the demo. `program` is the program of the receiver,
/// and lies at `place` below the directory of the package.
fn check(system: &str, platform: &str, place: &str, program: &[u8]) -> (PathBuf, Output) {
    check_with(system, platform, place, program, &[])
}

/// The same, in a project with more sources.
fn check_with(system: &str, platform: &str, place: &str, program: &[u8], more: &[&str]) -> (PathBuf, Output) {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("src/bin")).unwrap();
    fs::write(path("src/bin/sender.rs"), "").unwrap();
    fs::write(path("src/bin/receiver.rs"), "").unwrap();
    for source in more {
        fs::create_dir_all(path(source).parent().unwrap()).unwrap();
        fs::write(path(source), "").unwrap();
    }
    fs::write(path("Cargo.toml"), "[package]\nname = \"project\"\nedition = \"2024\"\n[workspace]\n")
        .unwrap();
    fs::write(path("message.txt"), "a message").unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/flows.toml");
    fs::copy(demo, path("flows.toml")).unwrap();
    let programs = path("target/ferry/packages/project").join(place);
    fs::create_dir_all(&programs).unwrap();
    let file = programs.join("receiver");
    fs::write(&file, program).unwrap();
    fs::write(path("system.xml"), system).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ferry"))
        .args(["check", "--platform", platform])
        .current_dir(directory.path())
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (file, output)
}

/// The description of the demo, with a region at this address in the receiver.
fn mapped_at(address: u64) -> String {
    let image = "<program_image path=\"receiver.elf\" />";
    let map = format!("{image}<map mr=\"more\" vaddr=\"{address:#x}\" perms=\"r\" />");
    let region = "<system><memory_region name=\"more\" size=\"0x1000\" />";
    SYSTEM.replacen(image, &map, 1).replacen("<system>", region, 1)
}

#[test]
fn a_map_over_a_program_of_any_configuration_is_a_mistake() {
    let program = elf::program(&[], 0x1800);
    for (platform, place) in [("classic", CLASSIC), ("microkit", AARCH64)] {
        for address in [elf::BASE, elf::BASE + 0x1000] {
            let (file, output) = check(&mapped_at(address), platform, place, &program);
            let error = String::from_utf8(output.stderr).unwrap();
            let says = format!(
                "`more` is mapped over the program of `receiver` in {}, which is at 0x200000 to 0x201800",
                file.display()
            );
            assert!(error.contains(&says), "{error}");
            assert!(error.contains("help: map it above 0x201800\n"), "{error}");
            assert_eq!(output.status.code(), Some(1));
        }
        for address in [elf::BASE - 0x1000, elf::BASE + 0x2000] {
            let (_, output) = check(&mapped_at(address), platform, place, &program);
            assert!(output.status.success(), "{output:?}");
        }
    }
}

#[test]
fn a_damaged_program_is_no_defect_of_the_description() {
    let whole = elf::program(&[], 0);
    // A segment that ends at the highest address there is.
    let high = elf::program(&[], u64::MAX - elf::BASE);
    for program in [&whole[..100], b"", b"\x7fELF"] {
        assert!(check(SYSTEM, "classic", CLASSIC, program).1.status.success());
    }
    let error = String::from_utf8(check(SYSTEM, "classic", CLASSIC, &high).1.stderr).unwrap();
    assert!(error.contains("is at 0x200000 to 0xffffffffffffffff"), "{error}");
}

#[test]
fn programs_of_the_tests_are_not_those_of_a_system() {
    let system = SYSTEM.replacen("\"receiver.elf\"", "\"actor.elf\"", 1);
    for platform in ["classic", "hosted", "microkit"] {
        let (_, output) = check(&system, platform, CLASSIC, &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("is called `actor.elf`"), "{error}");
        assert!(!error.contains("mallory"), "{error}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn names_that_nobody_could_tell_apart_are_refused_before_anything_is_built() {
    for (more, says) in [
        (
            "src/bin/central.rs",
            "the project has a program `central`, which is the name of one of Ferry's own",
        ),
        ("c/ticker.c", "the project has a program `ticker`, which is the name of one of Ferry's own"),
        ("c/sender.c", "the project has the program `sender` twice, in src/bin and in c"),
    ] {
        let (_, output) = check_with(SYSTEM, "classic", CLASSIC, &[], &[more]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(says), "{error}");
        assert_eq!(output.status.code(), Some(1));
    }
}
