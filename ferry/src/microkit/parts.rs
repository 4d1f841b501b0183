//! What images are made from besides the programs of the protection domains, for `ferry evidence`.

use super::Microkit;
use std::path::PathBuf;

/// What the SDK has for a board and configuration: the kernel, the initialiser, the monitor, and the loader,
/// which is missing where another boot loader starts the kernel.
const OF_SDK: [&str; 4] = ["sel4.elf", "initialiser.elf", "monitor.elf", "loader.elf"];
/// The programs of the supervisor: the one for use, and the one that prints for protection domains.
const SUPERVISORS: [&str; 2] = ["ferry_supervisor", "ferry_demo_supervisor"];

impl Microkit {
    /// The files, by their names. An image for use has no supervisor that prints.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        let path = |name| self.sdk.program(self.board.name, self.config.name(), name);
        let of_sdk = OF_SDK.map(|name| (name, path(name))).into_iter().filter(|(_, path)| path.is_file());
        let supervisors = if self.product { &SUPERVISORS[..1] } else { &SUPERVISORS[..] };
        of_sdk.chain(supervisors.iter().map(|name| (*name, self.own.join(name))))
    }
}
