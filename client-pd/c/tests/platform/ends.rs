//! What every test of the functions of `ferry.h` has for a platform: the program ends with a panic, and
//! nobody else wants the processor.

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_exit(code: u8) -> ! {
    panic!("the program ends with {code}")
}

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_yield() {}
