/*
 * Works around a defect of the seL4 5.0.0 kernel for x86-64. It is included before the kernel's C code.
 *
 * The kernel's stack is an array without an alignment, but the boot code and the trap handlers assume that it
 * is a page. What lies below the stack therefore depends on where the linker puts the array. In this
 * configuration that is the table of interrupt descriptors, and about one boot in twenty died of it. An
 * earlier declaration with the alignment is enough, because C merges it with the definition.
 */
extern char kernel_stack_alloc[1][4096] __attribute__((aligned(4096)));
