/*
 * Configuration of the seL4 5.0.0 kernel for Ferry's classic platform: x86-64, PC, one core, under QEMU's TCG.
 *
 * Found first on the include path, so it replaces the configuration that ships with the source. The same file
 * decides which object types, invocation labels and system calls exist: ferry-classic-abi generates its
 * constants with it. An option that is off is absent, because the kernel asks with #ifdef.
 */
#pragma once
#define AUTOCONF_INCLUDED

#define CONFIG_ARCH_X86 1
#define CONFIG_ARCH_X86_64 1
#define CONFIG_PLAT_PC99 1
#define CONFIG_WORD_SIZE 64
#define CONFIG_KERNEL_MASTER 1
/* No code for one microarchitecture only: silences a warning about QEMU's model number at boot. */
#define CONFIG_ARCH_X86_GENERIC 1

/* One core: design §1 promises nothing about multi-core on this platform. */
#define CONFIG_MAX_NUM_NODES 1
#define CONFIG_NUM_DOMAINS 1
#define CONFIG_DOMAIN_SCHEDULE ""
#define CONFIG_NUM_PRIORITIES 256
#define CONFIG_TIMER_TICK_MS 2
#define CONFIG_TIME_SLICE 5
#define CONFIG_FASTPATH 1
#define CONFIG_KERNEL_STACK_BITS 12
#define CONFIG_CACHE_LN_SZ 64

/*
 * 2^17 slots: a prefilled region of 64 MiB occupies 16384 slots as frames of the initialiser's image, and each
 * further mapping of a frame needs a copy of its capability. 4 MiB of memory.
 */
#define CONFIG_ROOT_CNODE_SIZE_BITS 17
/* The boot information must stay within one page: 12 bytes for each untyped. */
#define CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS 230
#define CONFIG_RETYPE_FAN_OUT_LIMIT 256
#define CONFIG_MAX_NUM_WORK_UNITS_PER_PREEMPTION 100
#define CONFIG_MAX_RMRR_ENTRIES 32
/*
 * Memory is zeroed in pieces of 2^16 bytes between two preemption points. The default of 2^8 makes retyping a
 * large untyped several times slower, and before the domains start nobody waits for an interrupt.
 */
#define CONFIG_RESET_CHUNK_BITS 16

/*
 * What `-cpu qemu64` does not have stays off: process-context identifiers, 1 GiB pages, x2APIC, the fsgsbase
 * instructions, xsave. There is no IOMMU in `-M pc` either. Each of these would stop the kernel at boot.
 */
#define CONFIG_XAPIC 1
#define CONFIG_IRQ_IOAPIC 1
#define CONFIG_MAX_NUM_IOAPIC 1
#define CONFIG_SYSCALL 1
#define CONFIG_FSGSBASE_MSR 1
#define CONFIG_HAVE_FPU 1
#define CONFIG_FXSAVE 1
#define CONFIG_XSAVE_SIZE 512
#define CONFIG_FPU_MAX_RESTORES_SINCE_SWITCH 64
#define CONFIG_MULTIBOOT_GRAPHICS_MODE_NONE 1

/*
 * The system call that prints a character, the only console of a domain, exists in debug builds alone. The
 * kernel's own assertions come with it.
 */
#define CONFIG_DEBUG_BUILD 1
#define CONFIG_PRINTING 1
/* No stack trace of a faulting domain: the initialiser reports faults, on one line. */
#define CONFIG_USER_STACK_TRACE_LENGTH 0
