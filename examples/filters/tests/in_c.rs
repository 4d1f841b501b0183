//! The filter for Modbus/TCP in C gives the verdicts of the one in Rust, for the same reasons, and looks at
//! no byte beyond a message.

mod variations;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use ferry_example_filters::corpus::MODBUS;
use ferry_example_filters::modbus::PLANT;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// What the filter in C says of messages. `arguments` go to the compiler.
fn in_c(messages: &[Vec<u8>], arguments: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("judge");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compiler = Command::new("gcc");
    compiler.current_dir(here).args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror"]).args(arguments);
    compiler.args(["tests/judge.c", "c/modbus-guard-in-c/filter.c", "-o"]).arg(&program);
    let compiled = compiler.output().expect("gcc can be started");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let mut judge =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it was compiled");
    let mut input = judge.stdin.take().unwrap();
    let length = |message: &Vec<u8>| u16::try_from(message.len()).unwrap().to_le_bytes();
    let bytes: Vec<u8> = messages.iter().flat_map(|m| [&length(m), m.as_slice()].concat()).collect();
    // It writes while it reads.
    let writer = thread::spawn(move || input.write_all(&bytes));
    let output = judge.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    writer.join().unwrap().unwrap();
    output.stdout
}

#[test]
fn the_filter_in_c_says_what_the_one_in_rust_says() {
    let mut runner = TestRunner::deterministic();
    let variations = variations::of(&MODBUS);
    let made = (0..50_000).map(|_| variations.new_tree(&mut runner).unwrap().current());
    let messages: Vec<Vec<u8>> = MODBUS.all().map(|(_, bytes)| bytes.to_vec()).chain(made).collect();
    let said = in_c(&messages, &["-fsanitize=address,undefined", "-fno-sanitize-recover"]);
    assert_eq!(said.len(), messages.len());
    for (message, said) in messages.iter().zip(said) {
        let expected = PLANT.judge(message).map_or_else(u32::from, |()| 0);
        assert_eq!(u32::from(said), expected, "{message:x?}");
    }
    let passed = messages.iter().filter(|message| PLANT.judge(message).is_ok()).count();
    assert!(passed > 1000, "only {passed} messages have passed");
}
