//! The measured programs: who owns an address, and where the watched functions begin.

use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};
use std::collections::BTreeMap;
use std::ops::Range;

/// The first address of the kernel. On x86-64 the kernel has the upper half of the address space. On
/// `AArch64` seL4 runs in the hypervisor's own address space, far above all programs.
const KERNEL: u64 = 0x80_6000_0000;
/// On RISC-V, the firmware that the kernel calls to set its timer. The measured programs are below. What the
/// firmware does counts as the kernel's.
const FIRMWARE: Range<u64> = 0x8000_0000..0x8020_0000;
/// The instructions that call the kernel: `syscall` of x86-64, `svc #0` of `AArch64` and `ecall` of RISC-V.
const SYSTEM_CALLS: [&[u8]; 3] = [&[0x0f, 0x05], &[0x01, 0x00, 0x00, 0xd4], &[0x73, 0x00, 0x00, 0x00]];
/// Beginning of the names of functions that belong to the measurement itself.
const MEASUREMENT: &str = "bench_";

/// Who executes an instruction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    Central,
    Producer,
    Consumer,
    /// A guard, or the ticker.
    Other,
    Kernel,
    /// The code of the measurement itself. It is not counted.
    Measurement,
}

/// A function of a program.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) owner: Owner,
    pub(super) name: String,
    pub(super) addresses: Range<u64>,
}

/// The programs of a measured system.
#[derive(Debug, Default)]
pub(super) struct Programs {
    images: Vec<(Range<u64>, Owner)>,
    /// Contents of the segments, by first address.
    contents: BTreeMap<u64, Vec<u8>>,
    /// The functions, by first address.
    functions: BTreeMap<u64, Function>,
}

impl Owner {
    /// Whose program a protection domain of a measured system is, by the name of the domain.
    pub(super) fn of_domain(name: &str) -> Self {
        match name {
            "central" => Self::Central,
            "producer" => Self::Producer,
            "consumer" => Self::Consumer,
            _ => Self::Other,
        }
    }
}

impl Programs {
    /// Adds a program. `file` is the contents of its ELF file.
    pub(super) fn add(&mut self, owner: Owner, file: &[u8]) -> Result<(), object::Error> {
        let file = object::File::parse(file)?;
        for segment in file.segments() {
            self.images.push((segment.address()..segment.address() + segment.size(), owner));
            self.contents.insert(segment.address(), segment.data()?.to_owned());
        }
        for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
            let Ok(name) = symbol.name() else { continue };
            let addresses = symbol.address()..symbol.address() + symbol.size();
            let measures = name.starts_with(MEASUREMENT);
            let owner = if measures { Owner::Measurement } else { owner };
            let function = Function { owner, name: name.to_owned(), addresses };
            self.functions.insert(symbol.address(), function);
        }
        Ok(())
    }

    /// Adds code that does not come from a program.
    #[cfg(test)]
    pub(super) fn add_code(&mut self, address: u64, code: &[u8]) {
        self.contents.insert(address, code.to_owned());
    }

    /// Whether `address` belongs to the kernel, or to the firmware that it calls.
    pub(super) const fn is_kernel(address: u64) -> bool {
        address >= KERNEL || (FIRMWARE.start <= address && address < FIRMWARE.end)
    }

    /// Whether the instruction at `address`, which belongs to a program, is a system call.
    pub(super) fn is_system_call(&self, address: u64) -> bool {
        let Some((first, contents)) = self.contents.range(..=address).next_back() else { return false };
        let code = usize::try_from(address - first).ok().and_then(|skip| contents.get(skip..));
        code.is_some_and(|code| SYSTEM_CALLS.iter().any(|call| code.starts_with(call)))
    }

    /// The owner of an address. `None` if no measured program contains it.
    pub(super) fn owner(&self, address: u64) -> Option<Owner> {
        if Self::is_kernel(address) {
            return Some(Owner::Kernel);
        }
        let (_, owner) = self.images.iter().find(|(image, _)| image.contains(&address))?;
        let measures = self.function(address).is_some_and(|function| function.owner == Owner::Measurement);
        Some(if measures { Owner::Measurement } else { *owner })
    }

    /// The function that contains the address.
    pub(super) fn function(&self, address: u64) -> Option<&Function> {
        let (_, function) = self.functions.range(..=address).next_back()?;
        function.addresses.contains(&address).then_some(function)
    }

    /// First addresses of the functions of `owner` whose names contain all `parts` in this order.
    pub(super) fn entries(&self, owner: Owner, parts: &[&str]) -> Vec<u64> {
        let matches = |function: &&Function| {
            let mut rest = function.name.as_str();
            function.owner == owner
                && parts.iter().all(|part| match rest.split_once(part) {
                    Some((_, behind)) => {
                        rest = behind;
                        true
                    }
                    None => false,
                })
        };
        self.functions.values().filter(matches).map(|function| function.addresses.start).collect()
    }
}
