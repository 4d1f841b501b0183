//! `include/ferry.h` is what cbindgen makes of the sources, and C sees the sizes and offsets that Rust has.
//! With `FERRY_WRITE_HEADER=1` the first test writes the header (`make header`).

use std::fmt::Write;
use std::fs;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

use ferry_client_c::{
    ABI_VERSION, Arrival, CallEnd, CallOptions, Caller, Incoming, Inspection, InspectionTicket, Next, Ticket,
};
use ferry_client_c::{Done, Event, Message, Part, Peer, Place, Request, RxBuffer, TxBuffer};

fn directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header() -> PathBuf {
    directory().join("include/ferry.h")
}

/// Assertions that C makes about a type, in the words of C.
macro_rules! layout {
    ($text:ident, $rust:ident, $c:literal, [$($field:ident),+]) => {
        writeln!($text, "FERRY_ASSERT(sizeof({}) == {});", $c, size_of::<$rust>()).unwrap();
        $(writeln!(
            $text,
            "FERRY_ASSERT(offsetof({}, {}) == {});",
            $c,
            stringify!($field),
            offset_of!($rust, $field)
        )
        .unwrap();)+
    };
}

fn assertions() -> String {
    let mut text = String::new();
    layout!(text, TxBuffer, "ferry_tx_buffer", [handle]);
    layout!(text, RxBuffer, "ferry_rx_buffer", [handle]);
    layout!(text, Request, "ferry_request", [handle]);
    layout!(text, Place, "ferry_place", [frame, offset]);
    layout!(text, Message, "ferry_message", [tag, time_to_live, flags]);
    layout!(text, Part, "ferry_part", [buffer, length]);
    layout!(text, InspectionTicket, "ferry_inspection_ticket", [handle]);
    layout!(text, Inspection, "ferry_inspection", [ticket, tag, length, source, target]);
    layout!(text, Done, "ferry_done", [tag, buffer, status]);
    layout!(text, Event, "ferry_event", [tag, sequence, buffer, place, length, kind, source]);
    layout!(text, Next, "ferry_next", [tag, length, target, flags]);
    layout!(text, Arrival, "ferry_arrival", [tag, sequence, position, request, length, source, kind, stages]);
    layout!(text, Ticket, "ferry_ticket", [number]);
    layout!(text, Caller, "ferry_caller", [handle]);
    layout!(text, CallOptions, "ferry_call_options", [deadline, time_to_live, flags]);
    layout!(text, CallEnd, "ferry_call_end", [ticket, kind]);
    layout!(text, Incoming, "ferry_incoming", [ticket, caller, kind]);
    layout!(text, Peer, "ferry_peer", [max_message, number, may_send, may_receive, name]);
    text
}

/// The header that belongs to the sources. Its first and its last part have the include guard, because that
/// of cbindgen would end before the last part.
fn generated() -> String {
    let read = |name: &str| fs::read_to_string(directory().join("include").join(name)).unwrap();
    let mut config = cbindgen::Config::from_file(directory().join("cbindgen.toml")).unwrap();
    config.header = Some(read("top.h.in").trim_end().to_owned());
    config.after_includes = Some(read("middle.h.in").trim_end().to_owned());
    let end = read("end.h.in").replace("@ABI@", &ABI_VERSION.to_string());
    config.trailer = Some(end.replace("@ASSERTIONS@\n", &assertions()).trim_end().to_owned());
    let made = cbindgen::Builder::new().with_config(config).with_crate(directory()).generate().unwrap();
    let mut bytes = Vec::new();
    made.write(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_header_is_that_of_the_sources() {
    let generated = generated();
    if std::env::var_os("FERRY_WRITE_HEADER").is_some() {
        fs::write(header(), generated).unwrap();
        return;
    }
    let written = fs::read_to_string(header()).unwrap();
    assert!(written == generated, "client-pd/c/include/ferry.h is not up to date; run `make header`");
}

/// A program may have any name that does not begin as Ferry's do.
#[test]
fn no_name_in_it_is_anybody_elses() {
    let text = fs::read_to_string(header()).unwrap();
    let defined = |line: &str| {
        let rest =
            ["#define ", "enum ", "typedef enum ", "} "].iter().find_map(|word| line.strip_prefix(word))?;
        let name: String =
            rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        (!name.is_empty()).then_some(name)
    };
    let names: Vec<String> = text.lines().filter_map(defined).collect();
    assert!(names.len() > 40, "{names:?}");
    let foreign: Vec<&String> =
        names.iter().filter(|name| !name.to_lowercase().starts_with("ferry_")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// What the compiler says of a program, or `None` if it accepts it.
fn refusal(compiler: &str, arguments: &[&str], program: &str) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("program.c");
    fs::write(&source, program).unwrap();
    let mut command = Command::new(compiler);
    command.args(["-Wall", "-Wextra", "-Werror", "-c", "-o", "/dev/null"]).args(arguments);
    let output = command.arg("-I").arg(header().parent().unwrap()).arg(&source).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A new field would otherwise be left out in silence.
#[test]
fn every_field_of_every_type_is_asserted() {
    let text = fs::read_to_string(header()).unwrap();
    let mut count = 0;
    for part in text.split("typedef struct {\n").skip(1) {
        let (body, rest) = part.split_once("\n} ").unwrap();
        let (name, _) = rest.split_once(';').unwrap();
        assert!(text.contains(&format!("FERRY_ASSERT(sizeof({name}) == ")), "{name}");
        for line in body.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let declared = line.strip_suffix(';').unwrap().split('[').next().unwrap();
            let field = declared.rsplit(' ').next().unwrap();
            assert!(text.contains(&format!("FERRY_ASSERT(offsetof({name}, {field}) == ")), "{name}.{field}");
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn c_sees_the_sizes_and_offsets_that_rust_has() {
    // Twice, as where another header of the program includes it too.
    let twice = "#include <ferry.h>\n#include <ferry.h>\nint main(void) { return 0; }\n";
    for standard in ["-std=c11", "-std=c17", "-std=gnu11"] {
        assert_eq!(refusal("gcc", &[standard], twice), None, "{standard}");
    }
    // The assertions are read: one that is false stops the compiler.
    let broken = "#include <ferry.h>\nFERRY_ASSERT(sizeof(ferry_event) == 1);\n";
    assert!(refusal("gcc", &["-std=c11"], broken).unwrap().contains("sizeof(ferry_event) == 1"));
}

/// A program with `portable/microkit.h` too. Compilers that are not installed are left out; gcc never is.
#[test]
fn strict_compilers_of_both_languages_accept_it() {
    let program = "#include <ferry.h>\n#include <ferry.h>\n#include <microkit.h>\n\
        void init(void) { if (ferry_init(64, 64) != FERRY_OK) { ferry_exit(1); } }\n\
        void notified(microkit_channel channel) { (void)channel; while (ferry_rest()) { } }\n";
    let microkit = format!("-I{}", directory().join("portable").display());
    let strict = ["-pedantic", "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Wundef", &microkit];
    let strict_cpp = ["-x", "c++", "-pedantic", "-Wconversion", "-Wshadow", "-Wundef", &microkit];
    let is_there = |compiler: &str| Command::new(compiler).arg("--version").output().is_ok();
    let mut accepted = Vec::new();
    for (compiler, arguments, standards) in [
        ("gcc", &strict[..], &["-std=c11", "-std=c17", "-std=c2x"][..]),
        ("clang", &strict, &["-std=c11", "-std=c17", "-std=c2x"]),
        ("g++", &strict_cpp, &["-std=c++11", "-std=c++17", "-std=c++20"]),
        ("clang++", &strict_cpp, &["-std=c++11", "-std=c++17", "-std=c++20"]),
    ] {
        for standard in standards.iter().filter(|_| is_there(compiler)) {
            for level in ["-O0", "-O3"] {
                let arguments = [arguments, &[*standard, level]].concat();
                assert_eq!(refusal(compiler, &arguments, program), None, "{compiler} {standard} {level}");
                accepted.push(compiler);
            }
        }
    }
    assert!(accepted.contains(&"gcc"), "{accepted:?}");
}

#[test]
fn a_result_that_nobody_looks_at_is_a_warning() {
    let careless = "#include <ferry.h>\nvoid f(ferry_tx_buffer b) { ferry_tx_give(b); }\n";
    assert!(refusal("gcc", &["-std=c11"], careless).unwrap().contains("unused-result"));
}

#[test]
fn a_buffer_of_the_wrong_kind_does_not_compile() {
    let wrong = "#include <ferry.h>\nint f(ferry_rx_buffer b) { return (int)ferry_tx_give(b); }\n";
    assert!(refusal("gcc", &["-std=c11"], wrong).unwrap().contains("incompatible type"));
}
