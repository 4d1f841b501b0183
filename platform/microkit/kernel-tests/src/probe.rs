//! Touches an address and survives: the access is made by a second thread, whose faults come to the test.
//!
//! The thread shares the root task's address space and runs a few instructions without stack or IPC buffer.
//! After an access that went well it executes an undefined instruction, so both ends arrive as faults.

use core::arch::naked_asm;

use sel4::init_thread::slot;
use sel4::{CNodeCapData, Fault, ObjectBlueprint, UserContext, Word, cap};
use test::boot_information;

use crate::objects::object;

/// What became of an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// It went well.
    Done,
    /// It faulted.
    Fault {
        /// The address that the kernel reports.
        address: usize,
        /// Whether the kernel reports a write.
        write: bool,
    },
}

/// Bit of the fault status that says that the access was a write.
#[cfg(target_arch = "aarch64")]
const WRITE_ACCESS: Word = 1 << 6;
#[cfg(any(target_arch = "riscv64", target_arch = "x86_64"))]
const WRITE_ACCESS: Word = 1 << 1;

/// Microseconds; as long as the period, so the thread is never throttled.
const BUDGET: u64 = 10_000;
/// Below the test's thread, which waits while this one runs.
const PRIORITY: Word = 100;

/// The thread that makes accesses.
pub(crate) struct Prober {
    thread: cap::Tcb,
    faults: cap::Endpoint,
    reply: cap::Reply,
}

impl Prober {
    /// Makes the thread; it has not run yet.
    pub(crate) fn new() -> Self {
        let thread: cap::Tcb = object(ObjectBlueprint::Tcb);
        let faults: cap::Endpoint = object(ObjectBlueprint::Endpoint);
        let time: cap::SchedContext =
            object(ObjectBlueprint::SchedContext { size_bits: sel4::sys::seL4_MinSchedContextBits as usize });
        let control = boot_information().sched_control().index(0).cap();
        control.sched_control_configure_flags(time, BUDGET, BUDGET, 0, 0, 0).expect("time is configured");
        thread
            .tcb_set_space(faults.cptr(), slot::CNODE.cap(), CNodeCapData::skip(0), slot::VSPACE.cap())
            .expect("the thread gets its spaces");
        thread
            .tcb_set_sched_params(slot::TCB.cap(), 0, PRIORITY, time, faults)
            .expect("the thread gets time and a fault handler");
        Self { thread, faults, reply: object(ObjectBlueprint::Reply) }
    }

    /// Reads a byte.
    pub(crate) fn read(&self, address: usize) -> Access {
        self.access(read_byte, address)
    }

    /// Writes a byte.
    pub(crate) fn write(&self, address: usize) -> Access {
        self.access(write_byte, address)
    }

    fn access(&self, instructions: unsafe extern "C" fn(usize), address: usize) -> Access {
        let mut registers = UserContext::default();
        *registers.pc_mut() = instructions as *const () as Word;
        *registers.c_param_mut(0) = address as Word;
        // This also ends the thread's wait for an answer to its last fault.
        self.thread.tcb_write_all_registers(true, &mut registers).expect("the thread is started");
        let (message, _) = self.faults.recv(self.reply);
        match sel4::with_ipc_buffer(|buffer| Fault::new(buffer, &message)) {
            Fault::UserException(_) => Access::Done,
            Fault::VmFault(fault) => {
                let fault = fault.inner();
                Access::Fault {
                    address: usize::try_from(fault.get_Addr()).expect("an address"),
                    write: fault.get_FSR() & WRITE_ACCESS != 0,
                }
            }
            other => panic!("unexpected fault {other:?}"),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn read_byte(_address: usize) {
    naked_asm!("mov al, [rdi]", "ud2")
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn write_byte(_address: usize) {
    naked_asm!("mov byte ptr [rdi], 0x5a", "ud2")
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn read_byte(_address: usize) {
    naked_asm!("ldrb w1, [x0]", "udf #0")
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn write_byte(_address: usize) {
    naked_asm!("mov w1, #0x5a", "strb w1, [x0]", "udf #0")
}

#[cfg(target_arch = "riscv64")]
#[unsafe(naked)]
unsafe extern "C" fn read_byte(_address: usize) {
    naked_asm!("lbu a1, 0(a0)", "unimp")
}

#[cfg(target_arch = "riscv64")]
#[unsafe(naked)]
unsafe extern "C" fn write_byte(_address: usize) {
    naked_asm!("li a1, 0x5a", "sb a1, 0(a0)", "unimp")
}
