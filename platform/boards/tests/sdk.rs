//! What is read from an SDK: of one that is made up, of one that is damaged, and, where there is one, of a
//! real one, with which the table is compared.

mod fake;

use ferry_boards::sdk::{self, SdkError};
use ferry_boards::{DECLARED, Form, MICROKIT};
use ferry_description::{Interrupts, Platform, Top};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

#[test]
fn a_board_that_the_table_lacks_is_described_by_the_sdk() {
    let directory = tempfile::tempdir().unwrap();
    let sdk = fake::sdk(directory.path(), "somewhere", &["debug", "smp-debug"]);
    let board = sdk::board(&sdk, "somewhere").unwrap();
    assert_eq!((board.name, board.architecture.form, board.cores), ("somewhere", Form::Uboot, 4));
    // What the SDK does not say, nobody assumes.
    assert_eq!((&board.console, board.exit, board.emulator), (&None, None, None));
    let Platform { name, physical, memory_bytes, top, interrupts, cores, .. } = board.rules(false);
    assert_eq!((name, cores, board.rules(true).cores), ("Microkit's somewhere", 1, 4));
    assert_eq!(physical, &[0..0x4000_0000, 0x4400_0000..0x8000_0000]);
    assert_eq!((memory_bytes, top), ((1024 - 64) << 20, Top::Stack(0x3f_ffff_d000)));
    assert_eq!(interrupts, Interrupts::Numbers { highest: 1023, of_kernel: &[0] });
}

#[test]
fn what_an_sdk_lacks_is_said_with_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let sdk = fake::sdk(directory.path(), "somewhere", &["release", "debug"]);
    let error = sdk::board(&sdk, "elsewhere").unwrap_err().to_string();
    assert!(error.contains("has no board `elsewhere`; it has somewhere."), "{error}");
    let error = sdk::directory(&sdk, "elsewhere", "debug").unwrap_err().to_string();
    assert!(error.contains("has no board `elsewhere`"), "{error}");
    let error = sdk::directory(&sdk, "somewhere", "smp-debug").unwrap_err().to_string();
    assert!(
        error.contains("has no configuration `smp-debug` for the board `somewhere`; it has debug, release."),
        "{error}"
    );
    assert!(sdk::directory(&sdk, "somewhere", "debug").unwrap().is_dir());
}

#[test]
fn a_damaged_sdk_is_said_with_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let sdk = fake::sdk(directory.path(), "somewhere", &["debug"]);
    let there = sdk.join("board/somewhere/debug");
    let generated = there.join("include/kernel/gen_config.json");
    let whole = fs::read_to_string(&generated).unwrap();
    for (text, word) in [
        (whole.replace("riscv64", "sparc"), "the architecture `sparc` is not supported"),
        (whole.replace("ROOT_CNODE", "ROOT_NODE"), "there is no number ROOT_CNODE_SIZE_BITS"),
        ("{".to_owned(), "EOF"),
    ] {
        fs::write(&generated, text).unwrap();
        let error = sdk::board(&sdk, "somewhere").unwrap_err().to_string();
        assert!(error.contains("gen_config.json") && error.contains(word), "{error}");
    }
    fs::write(&generated, whole).unwrap();
    fs::remove_file(there.join("platform_gen.json")).unwrap();
    assert!(matches!(sdk::board(&sdk, "somewhere"), Err(SdkError::File { .. })));
}

#[test]
fn the_table_says_of_a_board_what_the_sdk_says() {
    let Some(sdk) = real() else {
        // Not by a macro, because the test runner would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "******** BOARDS NOT COMPARED WITH AN SDK: none was found; set MICROKIT_SDK ********"
        );
        return;
    };
    for board in &MICROKIT {
        let read = sdk::described(&sdk, board.name).unwrap();
        assert_eq!((read.architecture, read.cores), (board.architecture, board.cores), "{}", board.name);
        let (read, table) = (read.platform, &board.platform);
        assert_eq!((read.name, read.top, read.frames), (table.name, table.top, table.frames));
        assert_eq!((read.extras, read.chooses_addresses), (table.extras, table.chooses_addresses));
        assert_eq!(read.memory_bytes, table.memory_bytes, "{}", board.name);
        // The table may know better: of interrupts, and of addresses that firmware keeps.
        for range in table.physical {
            let is_within =
                read.physical.iter().any(|wide| wide.start <= range.start && range.end <= wide.end);
            assert!(is_within, "{}: {range:x?} is not in {:x?}", board.name, read.physical);
        }
        match (read.interrupts, table.interrupts) {
            (
                Interrupts::Numbers { highest: most, of_kernel: of_read },
                Interrupts::Numbers { highest, of_kernel },
            ) => assert!(highest <= most && of_read == of_kernel, "{}", board.name),
            (read, table) => assert_eq!(read, table, "{}", board.name),
        }
    }
    // A console that is declared is where the SDK lets a program have a device.
    for declared in &DECLARED {
        let Ok(board) = sdk::board(&sdk, declared.name) else { continue };
        if let Some(ferry_boards::Console::Mapped(page, _)) = &board.console {
            let physical = board.platform.physical;
            assert!(physical.iter().any(|range| range.start <= page.start && page.end <= range.end));
        }
    }
}

/// The SDK, where the command line looks for it.
fn real() -> Option<PathBuf> {
    let named = std::env::var_os("MICROKIT_SDK").map(PathBuf::from);
    let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share/microkit-sdk-2.3.0"));
    named.or_else(usual).filter(|sdk| sdk.join("bin/microkit").is_file())
}
