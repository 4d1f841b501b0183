/*
 * Configuration of the seL4 5.0.0 kernel for Ferry's classic platform: x86-64, PC, one core, under QEMU's
 * TCG.
 *
 * This file comes first on the include path, so it replaces the configuration that ships with the source. It
 * also decides which object types, invocation labels and system calls exist: ferry-classic-abi generates its
 * constants with it. An option that is off is absent, because the kernel tests options with #ifdef.
 */
#pragma once
#define AUTOCONF_INCLUDED

#define CONFIG_ARCH_X86 1
#define CONFIG_ARCH_X86_64 1
#define CONFIG_PLAT_PC99 1
#define CONFIG_WORD_SIZE 64
#define CONFIG_KERNEL_MASTER 1
/* No code for one microarchitecture only. This silences a warning about QEMU's model number at boot. */
#define CONFIG_ARCH_X86_GENERIC 1

/* One core: nothing is promised about several cores on this platform. */
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
 * 2^17 slots, which take 4 MiB of memory. A prefilled region of 64 MiB occupies 16384 slots as frames of the
 * initialiser's image, and each further mapping of a frame needs a copy of its capability.
 */
#define CONFIG_ROOT_CNODE_SIZE_BITS 17
/* The boot information must fit in one page. Each untyped takes 12 bytes of it. */
#define CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS 230
#define CONFIG_RETYPE_FAN_OUT_LIMIT 256
#define CONFIG_MAX_NUM_WORK_UNITS_PER_PREEMPTION 100
#define CONFIG_MAX_RMRR_ENTRIES 32
/*
 * Memory is zeroed in pieces of 2^16 bytes between two preemption points. With the default of 2^8, retyping a
 * large untyped takes several times longer. Before the domains start nobody waits for an interrupt.
 */
#define CONFIG_RESET_CHUNK_BITS 16

/*
 * What `-cpu qemu64` does not have stays off: process-context identifiers, 1 GiB pages, x2APIC, the fsgsbase
 * instructions, xsave. `-M pc` has no IOMMU either. Each of these options would stop the kernel at boot.
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
 * The only console of a domain is the system call that prints a character, and only debug builds have it. The
 * kernel's own assertions come with a debug build.
 */
#define CONFIG_DEBUG_BUILD 1
#define CONFIG_PRINTING 1
/* No stack trace of a faulting domain: the initialiser reports each fault in one line. */
#define CONFIG_USER_STACK_TRACE_LENGTH 0
