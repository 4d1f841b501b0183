//! The audit log in a description: what a system with one has to look like, what the report says of it, and
//! what its reader must not reach.

use ferry_description::{Audit, Description, Mistakes, Source};
use ferry_layout::config::{AuditPlace, Config};
use std::path::Path;

/// The description of the directory `audited`, changed.
fn check(change: impl FnOnce(&mut String, &mut String)) -> Result<Description, Mistakes> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audited");
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let (mut system, mut flows) = (read("system.xml"), read("flows.toml"));
    change(&mut system, &mut flows);
    Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[])
}

/// The change makes this mistake, and no other.
#[track_caller]
fn refused(with: &str, change: impl FnOnce(&mut String, &mut String)) {
    let mistakes = check(change).unwrap_err();
    assert!(mistakes.to_string().contains(with), "{mistakes}");
    assert_eq!(mistakes.iter().count(), 1, "{mistakes}");
}

fn replace(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "{from}");
    *text = text.replace(from, to);
}

#[test]
fn central_learns_where_the_log_is_and_which_flows_it_gets_whole() {
    let description = check(|_, _| {}).unwrap();
    let reader = description.system.domain("logger").unwrap();
    let region = description.system.region("audit_log").unwrap();
    let audit = Audit { region, reader, address: 0x2004_0000, bytes: 0x1000, channel: Some(3) };
    assert_eq!(description.audit, Some(audit));
    let placement = description.place(&mut ferry_description::sequential(100));
    let words: Vec<u64> = placement
        .config
        .chunks(8)
        .map(|word| {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            u64::from_le_bytes(bytes)
        })
        .collect();
    let config = Config::parse(zerocopy::IntoBytes::as_bytes(words.as_slice())).unwrap();
    let place = AuditPlace { address: 0x2004_0000, bytes: 0x1000, channel: 3, reserved: 0 };
    assert_eq!(config.audit(), Some(&place));
    assert_eq!(config.flows().iter().map(|flow| flow.audit).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_flow_says_otherwise_than_the_whole_log() {
    let all = check(|_, flows| {
        replace(flows, "region = \"audit_log\"", "region = \"audit_log\"\nrecords = \"all\"");
        replace(flows, "audit = \"all\"", "audit = \"refusals\"");
    });
    let flows = all.unwrap().flows;
    assert_eq!(flows.iter().map(|flow| flow.audits_all).collect::<Vec<_>>(), [true, false]);
    for wrong in ["records = \"everything\"", "records = 1", "reader = \"logger\""] {
        let mistakes = check(|_, flows| {
            replace(flows, "region = \"audit_log\"", &format!("region = \"audit_log\"\n{wrong}"));
        });
        assert!(mistakes.is_err(), "{wrong}");
    }
}

#[test]
fn a_log_needs_no_channel() {
    let description = check(|system, _| {
        let start = system.rfind("    <channel>").unwrap();
        system.truncate(start);
        system.push_str("</system>\n");
    });
    assert_eq!(description.unwrap().audit.unwrap().channel, None);
}

#[test]
fn the_report_names_the_reader_and_what_it_learns() {
    let report = check(|_, _| {}).unwrap().report();
    let text = report.to_string();
    for line in [
        "audit log\n  `logger` reads in `audit_log` what is refused and judged of all flows and clients\n",
        "  and every message from bob to alice, without its bytes\n",
        "`logger` reads in `audit_log` what `alice` is refused",
        "`logger` reads in `audit_log` what `bob` is refused",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(
        report.regions.iter().any(|row| row.name == "audit_log" && row.owner.as_deref() == Some("central"))
    );
}

const MAP: &str = "<map mr=\"audit_log\" vaddr=\"0x13000000\" perms=\"r\"";
const CENTRAL: &str = "<map mr=\"audit_log\" vaddr=\"0x20040000\" perms=\"rw\"";

#[test]
fn the_region_is_there_and_mapped_as_it_must_be() {
    refused("`central` needs the memory region `audit_logs`", |_, flows| {
        // A region that does not exist.
        replace(flows, "audit_log", "audit_logs");
    });
    refused("`logger` maps `audit_log` with perms `rw`", |system, _| {
        replace(system, MAP, &MAP.replace("\"r\"", "\"rw\""));
    });
    refused("`central` maps `audit_log` with perms `r`", |system, _| {
        replace(system, CENTRAL, &CENTRAL.replace("rw", "r"));
    });
    refused("`central` does not map `audit_log`", |system, _| {
        replace(system, &format!("        {CENTRAL} />\n"), "");
    });
    refused("`logger` may execute `audit_log`", |system, _| {
        replace(system, MAP, &MAP.replace("\"r\"", "\"rx\""));
    });
    refused("`logger` maps `audit_log` uncached", |system, _| {
        replace(system, MAP, &format!("{MAP} cached=\"false\""));
    });
    refused("no setvar sets the symbol `ferry_audit` in `logger`", |system, _| {
        replace(system, "setvar_vaddr=\"ferry_audit\"", "setvar_vaddr=\"log\"");
    });
    refused("is read by `ticker` and `logger`", |system, _| {
        let path = "<program_image path=\"ticker.elf\" />";
        replace(system, path, &format!("{path}<map mr=\"audit_log\" vaddr=\"0x13000000\" perms=\"r\" />"));
    });
}

/// What a client has refused reaches the reader, so the reader must not pass it on to a client.
#[test]
fn a_reader_that_reaches_a_client_is_a_hidden_path() {
    let shared = |system: &mut String| {
        replace(
            system,
            "    <protection_domain name=\"ticker\"",
            "    <memory_region name=\"both\" size=\"0x1000\" />\n    <protection_domain name=\"ticker\"",
        );
        replace(
            system,
            "<program_image path=\"bob.elf\" />",
            "<program_image path=\"bob.elf\" />\n<map mr=\"both\" vaddr=\"0x30000000\" perms=\"r\" />",
        );
        replace(
            system,
            "<program_image path=\"logger.elf\" />",
            "<program_image path=\"logger.elf\" />\n<map mr=\"both\" vaddr=\"0x30000000\" perms=\"rw\" />",
        );
    };
    let mistakes = check(|system, _| shared(system)).unwrap_err().to_string();
    assert!(
        mistakes.contains("`alice` can influence `bob` outside all flows, through `logger`"),
        "{mistakes}"
    );
    let trusted = check(|system, flows| {
        shared(system);
        flows.push_str("\n[[trusted]]\ndomain = \"logger\"\nreason = \"it shows bob what is public\"\n");
    });
    assert!(trusted.is_ok(), "{trusted:?}");
}
