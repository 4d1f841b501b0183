//! Reads the real source and compares a few numbers with those that the running kernel is known to use. The
//! expected numbers come from the kernel's documentation and from boots, so this catches a reader that
//! miscounts.

use ferry_classic_kernel::{Constants, Source};
use std::path::Path;

fn value(constants: &Constants, group: &str, name: &str) -> i64 {
    let group = constants.groups.iter().find(|known| known.name == group).expect("the group exists");
    group.values.iter().find(|(known, _)| known == name).expect("the name exists").1
}

#[test]
fn constants_follow_source_and_configuration() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let source = Source::locate(&workspace).unwrap();
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("constants");
    let constants = Constants::read(&source, &scratch).unwrap();

    assert_eq!(value(&constants, "syscall", "Call"), -1);
    assert_eq!(value(&constants, "syscall", "DebugPutChar"), -9);
    assert_eq!(value(&constants, "label", "UntypedRetype"), 1);
    assert_eq!(value(&constants, "constant", "seL4_TCBObject"), 1);
    // Without huge pages the 4 KiB frame has number 7 instead of 8.
    assert_eq!(value(&constants, "constant", "seL4_X86_4K"), 7);
    assert_eq!(value(&constants, "constant", "seL4_NotEnoughMemory"), 10);
    assert_eq!(value(&constants, "constant", "seL4_CapIOPort"), 7);
    assert_eq!(value(&constants, "constant", "seL4_TCBBits"), 11);
    assert_eq!(value(&constants, "fault", "VMFault"), 5);
    assert_eq!(value(&constants, "message_info", "label_shift"), 12);
    assert_eq!(value(&constants, "rights", "capAllowWrite_shift"), 0);
    assert!(constants.to_rust().contains("pub const X86PageMap: u64 = "));
}
