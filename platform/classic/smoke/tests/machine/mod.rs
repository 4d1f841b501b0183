//! Builds kernel, initialiser and subject, and boots a system in QEMU. Every boot has a time limit.

use ferry_boards::{PC99, PC99_EMULATOR};
use ferry_classic_image::pack;
use ferry_classic_kernel::{Source, build};
use ferry_classic_spec::{Payload, ProtectionDomain, Rights, Segment, System, encode};
use object::{Object, ObjectSegment, ObjectSymbol, SegmentFlags};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_mins(1);

/// What a boot left behind.
pub(crate) struct Outcome {
    /// The console, the kernel's own lines included.
    pub(crate) console: String,
    /// QEMU's exit status.
    pub(crate) status: Option<i32>,
    /// From starting QEMU to its end.
    pub(crate) duration: Duration,
}

struct Files {
    kernel: PathBuf,
    initialiser: Vec<u8>,
    subject: Vec<u8>,
}

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Builds everything once per test run.
fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let source = Source::locate(&workspace).unwrap_or_else(|error| panic!("{error}"));
        let kernel = build(&source, &scratch().join("kernel"), |step| eprintln!("{step}"))
            .unwrap_or_else(|error| panic!("{error}"));
        let binaries = scratch().join("domains");
        for (package, features) in [("ferry-root-task", ""), ("ferry-classic-smoke", "subject")] {
            let status = Command::new(env!("CARGO"))
                .current_dir(&workspace)
                .env_remove("RUSTFLAGS")
                .env_remove("CARGO_ENCODED_RUSTFLAGS")
                .env("CARGO_TARGET_X86_64_UNKNOWN_NONE_RUSTFLAGS", PC99.architecture.flags)
                .args(["build", "--release", "--bins", "--target", PC99.architecture.target, "--target-dir"])
                .arg(&binaries)
                .args(["--package", package, "--features", features])
                .status()
                .expect("cargo starts");
            assert!(status.success(), "cargo builds {package}");
        }
        let binary = |name| {
            fs::read(binaries.join(PC99.architecture.target).join("release").join(name))
                .expect("cargo made it")
        };
        Files { kernel: kernel.elf32, initialiser: binary("ferry-root-task"), subject: binary("subject") }
    })
}

/// A domain that runs the subject with `words` patched in. Add maps, grants and a window to it.
pub(crate) fn subject(
    name: &str,
    priority: u8,
    words: &[(&str, u64)],
    payload: &mut Payload,
) -> ProtectionDomain {
    let file = object::File::parse(files().subject.as_slice()).expect("cargo made an ELF file");
    let patches: Vec<(u64, u64)> = words
        .iter()
        .map(|(name, value)| {
            let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
            (symbol.unwrap_or_else(|| panic!("the subject has a symbol {name}")).address(), *value)
        })
        .collect();
    let segments = file.segments().map(|segment| {
        let mut data = segment.data().expect("the segment is in the file").to_vec();
        for (address, value) in &patches {
            let at = address.checked_sub(segment.address()).and_then(|at| usize::try_from(at).ok());
            if let Some(word) = at.and_then(|at| data.get_mut(at..at + 8)) {
                word.copy_from_slice(&value.to_le_bytes());
            }
        }
        let SegmentFlags::Elf { p_flags } = segment.flags() else { panic!("the subject is an ELF file") };
        let rights = match (p_flags & object::elf::PF_W != 0, p_flags & object::elf::PF_X != 0) {
            (true, true) => panic!("a segment is writable and executable"),
            (true, false) => Rights::ReadWrite,
            (false, true) => Rights::ReadExecute,
            (false, false) => Rights::Read,
        };
        Segment {
            address: segment.address(),
            memory_bytes: segment.size(),
            rights,
            data: payload.push(&data),
        }
    });
    ProtectionDomain {
        name: name.to_owned(),
        priority,
        entry: file.entry(),
        stack_bytes: 0x4000,
        segments: segments.collect(),
        maps: Vec::new(),
        grants: Vec::new(),
        window: None,
        restarts: 0,
    }
}

/// Boots a system and waits for its end. `name` is for its files.
pub(crate) fn boot(name: &str, system: &System, payload: &Payload, arguments: &[&str]) -> Outcome {
    let files = files();
    let image = pack(&files.initialiser, &encode(system, payload)).expect("the initialiser takes a system");
    let path = scratch().join(name).with_extension("elf");
    fs::write(&path, image).expect("the scratch directory is writable");
    let console = path.with_extension("console");
    let output = fs::File::create(&console).expect("the scratch directory is writable");

    let start = Instant::now();
    let mut machine = PC99
        .emulate(&PC99_EMULATOR, ferry_boards::Files { kernel: &files.kernel, image: &path }, 0, 1)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output)
        .spawn()
        .expect("QEMU is installed: `apt-get install qemu-system-x86`");
    let status = loop {
        if let Some(status) = machine.try_wait().expect("QEMU can be waited for") {
            break status.code();
        }
        if start.elapsed() > LIMIT {
            machine.kill().expect("QEMU can be ended");
            machine.wait().expect("QEMU can be waited for");
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let duration = start.elapsed();
    let console = String::from_utf8_lossy(&fs::read(console).expect("QEMU wrote it")).into_owned();
    Outcome { console, status, duration }
}
