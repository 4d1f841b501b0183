//! Hints of a description without a mistake: which flows get one, and what it says.

use ferry_description::{Description, Source, Verdict};
use std::path::Path;

const SYSTEM: &str = include_str!("fixtures/valid/system.xml");
const FLOWS: &str = include_str!("fixtures/valid/flows.toml");

/// The hints for these files.
fn hints(system: &str, flows: &str) -> Vec<String> {
    let description =
        Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[]);
    let hints = description.unwrap_or_else(|mistakes| panic!("{mistakes}")).hints();
    hints.iter().map(ToString::to_string).collect()
}

/// The hints for the valid description with more in its flow.
fn with(keys: &str) -> Vec<String> {
    hints(SYSTEM, &format!("{FLOWS}{keys}\n"))
}

/// The valid description with buffers of 2 MiB for a client.
fn large(system: &str, client: &str) -> String {
    ["tx", "rx"].iter().fold(system.to_owned(), |text, suffix| {
        let small = format!(r#"name="{client}_{suffix}" size="0x10000""#);
        assert!(text.contains(&small), "{text}");
        text.replace(&small, &format!(r#"name="{client}_{suffix}" size="0x200000""#))
    })
}

#[test]
fn frames_of_4_kib_for_long_messages_get_a_hint() {
    // Without max_message, the buffers say how long a message can be.
    assert_eq!(
        with(""),
        [
            "flows.toml:4: `alice` to `bob`: a message of 65536 bytes takes 16 maps and 16 unmaps of frames of 4 KiB \
             for `alice` and for `bob`; frames of 2 MiB serve a whole batch: write large_frames = true in \
             [client.alice], [client.bob], and let sizes and addresses of _tx and _rx be multiples of 0x200000"
        ]
    );
    let [hint] = &with("max_message = 4097")[..] else { panic!("one flow has one hint") };
    assert!(hint.contains("a message of 4097 bytes takes 2 maps and 2 unmaps"), "{hint}");
}

#[test]
fn short_messages_and_frames_that_stay_mapped_get_none() {
    assert_eq!(with("max_message = 4096"), [""; 0]);
    assert_eq!(with("mapping = \"keep\""), [""; 0]);
    let short = SYSTEM.replace(r#"name="bob_rx" size="0x10000""#, r#"name="bob_rx" size="0x1000""#);
    assert_eq!(hints(&short, FLOWS), [""; 0]);
}

#[test]
fn only_clients_with_small_frames_are_named() {
    let flows = format!("{FLOWS}[client.bob]\nlarge_frames = true\n");
    let system = large(SYSTEM, "bob");
    let [hint] = &hints(&system, &flows)[..] else { panic!("one flow has one hint") };
    assert!(hint.contains("frames of 4 KiB for `alice`; ") && !hint.contains("[client.bob]"), "{hint}");
    let flows = format!("{flows}[client.alice]\nlarge_frames = true\n");
    assert_eq!(hints(&large(&system, "alice"), &flows), [""; 0]);
}

#[test]
fn guards_map_frames_too() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guarded");
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let [hint] = &hints(&read("system.xml"), &read("flows.toml"))[..] else {
        panic!("one flow has one hint")
    };
    for guard in ["schema", "range-a", "range-b"] {
        assert!(
            hint.contains(&format!("for `{guard}`")) && hint.contains(&format!("[client.{guard}]")),
            "{hint}"
        );
    }
}

#[test]
fn programs_get_hints_beside_the_report() {
    let (system, flows) = (Source::new("system.xml", SYSTEM), Source::new("flows.toml", FLOWS));
    let description = Description::check(&system, &flows, &[]).unwrap();
    let verdict = Verdict::right(&description);
    let [hint] = &verdict.hints[..] else { panic!("{:?}", verdict.hints) };
    assert_eq!((hint.file.as_str(), hint.line), ("flows.toml", 4));
    assert!(verdict.report.is_some() && verdict.mistakes.is_empty());
}
