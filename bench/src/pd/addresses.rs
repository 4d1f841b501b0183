//! The build script of the packages that compile these programs for seL4. It links those that are measured at
//! addresses of their own, so that a trace of program counters tells them from central and from each other.
//! The linker chooses the addresses of all others.

fn main() {
    println!("cargo::rerun-if-changed=../../../bench/src/pd/addresses.rs");
    // The two producers are never in one system.
    let places = [
        ("producer", "0x4000000"),
        ("one_way_producer", "0x4000000"),
        ("consumer", "0x8000000"),
        ("open_guard", "0xc000000"),
        ("asked_ticker", "0x10000000"),
    ];
    for (program, base) in places {
        println!("cargo::rustc-link-arg-bin={program}=--image-base={base}");
    }
}
