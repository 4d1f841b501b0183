//! A directory that looks like a Microkit SDK with one board, for tests of what is read from an SDK. Other
//! packages' tests use it too.

use std::fs;
use std::path::{Path, PathBuf};

/// Makes an SDK in `directory` whose only board is `board`, in these configurations. An SDK for several cores
/// has four.
pub(crate) fn sdk(directory: &Path, board: &str, configs: &[&str]) -> PathBuf {
    let write = |path: &Path, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(&directory.join("bin/microkit"), "");
    for config in configs {
        let there = directory.join("board").join(board).join(config);
        let (smp, nodes) = if config.starts_with("smp-") { (true, 4) } else { (false, 1) };
        write(
            &there.join("include/kernel/gen_config.json"),
            &format!(
                r#"{{ "SEL4_ARCH": "riscv64", "ENABLE_SMP_SUPPORT": {smp}, "MAX_NUM_NODES": "{nodes}",
                     "ROOT_CNODE_SIZE_BITS": "17" }}"#
            ),
        );
        write(
            &there.join("platform_gen.json"),
            r#"{ "devices": [{ "start": 0, "end": 1073741824 }],
                 "memory": [{ "start": 1073741824, "end": 2147483648 }] }"#,
        );
        write(&there.join("address_space_constants.json"), r#"{ "vspace_user_top": 274877902847 }"#);
    }
    directory.to_owned()
}
