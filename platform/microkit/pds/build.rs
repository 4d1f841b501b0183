//! Links the protection domains that are measured at addresses of their own, so that a trace of program
//! counters tells them from central and from each other. The linker chooses the addresses of all others.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (program, base) in [("producer", "0x4000000"), ("consumer", "0x8000000")] {
        println!("cargo::rustc-link-arg-bin={program}=--image-base={base}");
    }
}
