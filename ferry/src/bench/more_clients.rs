//! The measured system with more clients. The additional clients post their buffers once and then sleep.

use std::fmt::Write as _;

/// Address at which central maps the pages of the first additional client, and the distance to the pages of
/// the next one.
const FIRST_ADDRESS: u64 = 0x2104_0000;
const STRIDE: u64 = 0x2_0000;
/// Number of central's channel to the first additional client. Channels 1 and 2 lead to the producer and the
/// consumer.
const FIRST_CHANNEL: u16 = 3;

/// The description of a system with `clients` clients, made from `system`, which describes two.
pub(super) fn describe(system: &str, clients: u16) -> String {
    let (mut regions, mut maps, mut domains) = (String::new(), String::new(), String::new());
    for number in 2..clients {
        let name = format!("sleeper_{number}");
        let out_address = FIRST_ADDRESS + STRIDE * u64::from(number - 2);
        let in_address = out_address + STRIDE / 2;
        let _ = writeln!(
            regions,
            r#"    <memory_region name="{name}_out" size="0x3_000" page_size="0x1_000" />
    <memory_region name="{name}_in" size="0x2_000" page_size="0x1_000" />
    <memory_region name="{name}_tx" size="0x1_000" page_size="0x1_000" />
    <memory_region name="{name}_rx" size="0x1_000" page_size="0x1_000" />"#
        );
        let _ = writeln!(
            maps,
            r#"        <map mr="{name}_out" vaddr="{out_address:#x}" perms="r" />
        <map mr="{name}_in" vaddr="{in_address:#x}" perms="rw" />"#
        );
        let channel = FIRST_CHANNEL + number - 2;
        let _ = writeln!(
            domains,
            r#"    <protection_domain name="{name}" priority="110" stack_size="0x10_000">
        <program_image path="consumer.elf" />
        <map mr="{name}_out" vaddr="0x20_000_000" perms="rw" setvar_vaddr="ferry_out" setvar_size="ferry_out_size" />
        <map mr="{name}_in" vaddr="0x20_010_000" perms="r" setvar_vaddr="ferry_in" setvar_size="ferry_in_size" />
        <map mr="{name}_tx" vaddr="0x100_000_000" perms="rw" setvar_vaddr="ferry_tx" setvar_size="ferry_tx_size" />
        <map mr="{name}_rx" vaddr="0x200_000_000" perms="r" setvar_vaddr="ferry_rx" setvar_size="ferry_rx_size" />
        <map mr="bench" vaddr="0x20_020_000" perms="r" setvar_vaddr="ferry_bench" setvar_size="ferry_bench_size" />
    </protection_domain>
    <channel>
        <end pd="central" id="{channel}" />
        <end pd="{name}" id="0" setvar_id="ferry_central" />
    </channel>"#
        );
    }
    // The configuration grows with the clients.
    let system =
        system.replace(r#"name="ferry_config" size="0x1_000""#, r#"name="ferry_config" size="0x4_000""#);
    let mut described = String::new();
    for line in system.lines() {
        // The first protection domain that begins and ends in the file is central.
        if line.contains("</protection_domain>") {
            described.push_str(&std::mem::take(&mut maps));
        }
        if line.contains("<protection_domain") {
            described.push_str(&std::mem::take(&mut regions));
        }
        if line.contains("</system>") {
            described.push_str(&domains);
        }
        described.push_str(line);
        described.push('\n');
    }
    described
}

#[cfg(test)]
mod tests {
    use ferry_description::{Description, Source};

    #[test]
    fn a_system_with_more_clients_is_valid() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench"));
        let system = std::fs::read_to_string(root.join("system.xml")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("system.xml");
        std::fs::write(&path, super::describe(&system, 32)).unwrap();
        let read = |path: &std::path::Path| Source::read(path).unwrap();
        let description = Description::check(&read(&path), &read(&root.join("flows-keep.toml")), &[]);
        let description = description.map_err(|mistakes| mistakes.render(false)).unwrap();
        assert_eq!(description.system.domains.len(), 33, "32 clients and central");
    }
}
