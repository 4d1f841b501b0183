//! What Microkit refuses in the elements that Ferry itself does not need, one value for each of its checks:
//! interrupts, I/O ports, virtual machines, devices behind an IOMMU, capabilities and children. Each is put
//! into the valid description. What Microkit accepts there is accepted.

use ferry_description::{Description, Mistakes, Platform, Source};

const SYSTEM: &str = include_str!("fixtures/valid/system.xml");
const FLOWS: &str = include_str!("fixtures/valid/flows.toml");
/// The line of the valid description before the elements of `bob`.
const IN_BOB: &str = "<program_image path=\"bob.elf\" />";

/// The valid description with more behind an anchor of it. `flows` is added to the flows.
fn with(anchor: &str, more: &str, flows: &str) -> Result<Description, Mistakes> {
    let system = SYSTEM.replacen(anchor, &format!("{anchor}{more}"), 1);
    let regions = "<system><memory_region name=\"ram\" size=\"0x2000\" />";
    let system = system.replacen("<system>", regions, 1);
    let flows = format!("{FLOWS}\n{flows}");
    Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[])
}

fn in_bob(more: &str) -> Result<Description, Mistakes> {
    with(IN_BOB, more, "")
}

/// The description with a top-level element before the first channel.
fn top(element: &str) -> Result<Description, Mistakes> {
    let end = "    </protection_domain>\n    <channel>";
    let system = SYSTEM.replacen(end, &format!("    </protection_domain>{element}\n    <channel>"), 1);
    let regions = "<system><memory_region name=\"ram\" size=\"0x2000\" /><memory_region name=\"big\" \
                   size=\"0x200000\" page_size=\"0x200000\" />";
    let system = system.replacen("<system>", regions, 1);
    Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", FLOWS), &[])
}

/// The first mistake without its place.
fn first(checked: Result<Description, Mistakes>) -> String {
    let mistakes = checked.unwrap_err();
    let first = mistakes.iter().next().unwrap();
    format!("{}; {}", first.problem, first.problem.remedy())
}

/// Asserts that each element is refused with this message alone, or accepted.
fn all(check: impl Fn(&str) -> Result<Description, Mistakes>, refused: &[(&str, &str)], accepted: &[&str]) {
    for (element, message) in refused {
        assert_eq!(first(check(element)), *message, "{element}");
    }
    for element in accepted {
        if let Err(mistakes) = check(element) {
            panic!("{element}: {mistakes}");
        }
    }
}

#[test]
fn interrupts_have_a_number_and_a_source() {
    let refused = [
        (r#"<irq irq="40" />"#, "element `irq` lacks the attribute `id`; add id=\"…\""),
        (r#"<irq irq="40" id="62" />"#, "`id` is `62`; write 0 to 61, decimal"),
        (r#"<irq irq="40" id="-1" />"#, "`id` is `-1`; write 0 to 61, decimal"),
        (r#"<irq irq="40" id="0x5" />"#, "`id` is `0x5`; write 0 to 61, decimal"),
        (r#"<irq irq="0x28" id="5" />"#, "`irq` is `0x28`; write a decimal number"),
        (r#"<irq irq="40" id="5" trigger="both" />"#, "`trigger` is `both`; write level or edge"),
        (
            r#"<irq irq="40" id="5" vector="3" />"#,
            "element `irq` has no attribute `vector`; known attributes: irq, id, setvar_id, trigger",
        ),
        (r#"<irq pin="-1" id="5" vector="3" />"#, "`pin` is `-1`; write a decimal number"),
        (r#"<irq pin="1" ioapic="-1" id="5" vector="3" />"#, "`ioapic` is `-1`; write a decimal number"),
        (r#"<irq pin="1" id="5" vector="108" />"#, "`vector` is `108`; write 0 to 107, decimal"),
        (r#"<irq pin="1" id="5" vector="-1" />"#, "`vector` is `-1`; write 0 to 107, decimal"),
        (r#"<irq pin="1" id="5" />"#, "element `irq` lacks the attribute `vector`; add vector=\"…\""),
        (r#"<irq pin="1" id="5" vector="3" trigger="x" />"#, "`trigger` is `x`; write level or edge"),
        (r#"<irq pin="1" id="5" vector="3" polarity="x" />"#, "`polarity` is `x`; write low or high"),
        (
            r#"<irq pcidev="0:1.0" id="5" vector="3" />"#,
            "element `irq` lacks the attribute `handle`; add handle=\"…\"",
        ),
        (
            r#"<irq pcidev="0:1.0" handle="-1" id="5" vector="3" />"#,
            "`handle` is `-1`; write 0 to 4294967295, decimal",
        ),
    ];
    let accepted = [
        r#"<irq irq="40" id="61" setvar_id="irq_id" trigger="edge" />"#,
        r#"<irq pin="1" ioapic="0" id="5" vector="107" polarity="low" trigger="edge" />"#,
        r#"<irq pcidev=" 0 : 1f . 7" handle="0" id="5" vector="0" />"#,
    ];
    all(in_bob, &refused, &accepted);
    for device in ["100:0.0", "-1:0.0", "0:20.0", "0:-1.0", "0:0.8", "0:0.-1", "0.0.0", "0:0:0", "g:0.0", ""]
    {
        let message = format!(
            "`pcidev` is `{device}`; write bus:device.function in hexadecimal, as in 00:1f.2, up to ff:1f.7"
        );
        let irq = format!(r#"<irq pcidev="{device}" handle="0" id="5" vector="3" />"#);
        assert_eq!(first(in_bob(&irq)), message);
    }
}

#[test]
fn the_symbol_of_an_interrupt_is_set_once() {
    let irq = r#"<irq irq="40" id="5" setvar_id="ferry_tx" />"#;
    let message = "`bob` gets the symbol `ferry_tx` twice; remove one of the two, or name another symbol";
    assert_eq!(first(in_bob(irq)), message);
}

#[test]
fn ports_are_those_of_a_pc() {
    let trusted = "[[trusted]]\ndevice = \"ioport 0x3f8\"\nreason = \"a serial line\"\n";
    let check = |element: &str| with(IN_BOB, element, trusted);
    let refused = [
        (r#"<ioport id="62" addr="0x3f8" size="8" />"#, "`id` is `62`; write 0 to 61, decimal"),
        (r#"<ioport id="-1" addr="0x3f8" size="8" />"#, "`id` is `-1`; write 0 to 61, decimal"),
        (r#"<ioport id="1" addr="0x3f8" size="0" />"#, "`size` is `0`; write at least 1"),
        (r#"<ioport id="1" addr="0x3f8" size="-1" />"#, "`size` is `-1`; write a decimal number"),
        (r#"<ioport id="1" addr="0x3f8" size="0x8" />"#, "`size` is `0x8`; write a decimal number"),
        (r#"<ioport id="1" addr="0xfff9" size="8" />"#, "`addr` is `0xfff9`; write ports below 0x10000"),
        (
            r#"<ioport id="1" addr="0xffffffffffffffff" size="8" />"#,
            "`addr` is `0xffffffffffffffff`; write ports below 0x10000",
        ),
        (r#"<ioport id="1" size="8" />"#, "element `ioport` lacks the attribute `addr`; add addr=\"…\""),
    ];
    all(check, &refused, &[r#"<ioport id="1" addr="0x3f8" size="8" setvar_id="a" setvar_addr="b" />"#]);
}

#[test]
fn virtual_machines_are_as_microkit_has_them() {
    let machine = |attributes: &str, inside: &str| {
        in_bob(&format!(r#"<virtual_machine name="linux" {attributes}>{inside}</virtual_machine>"#))
    };
    let vcpu = r#"<vcpu id="0" />"#;
    let refused = [
        ("<vcpu />", "element `vcpu` lacks the attribute `id`; add id=\"…\""),
        (r#"<vcpu id="62" />"#, "`id` is `62`; write 0 to 61, decimal"),
        (r#"<vcpu id="0x1" />"#, "`id` is `0x1`; write 0 to 61, decimal"),
        (
            r#"<vcpu id="1" /><vcpu id="1" />"#,
            "`id` is `1`; write a number that no other child or vcpu of the domain has",
        ),
        (r#"<vcpu id="1" cpu="256" />"#, "`cpu` is `256`; write 0 to 255, the number of a processor core"),
        (
            r#"<vcpu id="0" /><map mr="ram" vaddr="0x1800" />"#,
            "the address 0x1800 is not a multiple of the page size 0x1000 of `ram`; move it to a multiple of \
             0x1000",
        ),
        (
            r#"<vcpu id="0" /><map mr="ram" vaddr="0x1000" /><map mr="ram" vaddr="0x2000" />"#,
            "in `linux`, `ram` and `ram` overlap; move one of the two",
        ),
        (
            r#"<vcpu id="0" /><map mr="ram" vaddr="0xfffffffffffff000" />"#,
            "`ram` does not fit into `linux` at 0xfffffffffffff000; move it, so that it ends at 0x800000000000 \
             or below",
        ),
        (
            r#"<vcpu id="0" /><map mr="ram" vaddr="0x1000" perms="w" />"#,
            "`perms` is `w`; write a combination of r, w and x, and not w alone",
        ),
        (
            r#"<vcpu id="0" /><map mr="ram" vaddr="0x1000" setvar_vaddr="x" />"#,
            "element `map` has no attribute `setvar_vaddr`; known attributes: mr, vaddr, perms, cached",
        ),
    ];
    all(
        |inside| machine("", inside),
        &refused,
        &[vcpu, r#"<vcpu id="0" cpu="1" /><map mr="ram" vaddr="0" />"#],
    );
    let refused = [
        (r#"budget="2000" period="1000""#, "`budget` is `2000`; write at most the period"),
        (r#"priority="256""#, "`priority` is `256`; write 0 to 254"),
    ];
    all(|attributes| machine(attributes, vcpu), &refused, &[r#"budget="20" period="1000" priority="254""#]);
    let twice = r#"<virtual_machine name="linux"><vcpu id="0" /></virtual_machine>"#;
    let alice = SYSTEM.replacen(r#"<program_image path="alice.elf" />"#, &format!("$0{twice}"), 1);
    let both = alice.replace("$0", r#"<program_image path="alice.elf" />"#).replacen(
        IN_BOB,
        &format!("{IN_BOB}{twice}"),
        1,
    );
    let checked =
        Description::check(&Source::new("system.xml", both), &Source::new("flows.toml", FLOWS), &[]);
    let message = "the name `linux` is taken, first in line 23; give one of the two another name";
    assert_eq!(first(checked), message);
}

#[test]
fn devices_behind_an_iommu_are_as_microkit_has_them() {
    let space = |name: &str, device: &str, number: &str, maps: &str| {
        let attributes = format!(r#"name="{name}" peripheral_id="{device}" domain_id="{number}""#);
        format!("<io_address_space {attributes}>{maps}</io_address_space>")
    };
    let maps = |maps: &str| top(&space("nic", "0:1.0", "1", maps));
    let refused = [
        (
            r#"<iomap mr="ram" iovaddr="0x7ffffff000" />"#,
            "`ram` does not fit into `nic` at 0x7ffffff000; move it, so that it ends at 0x8000000000 or below",
        ),
        (
            r#"<iomap mr="ram" iovaddr="0x1000" /><iomap mr="ram" iovaddr="0x2000" />"#,
            "in `nic`, `ram` and `ram` overlap; move one of the two",
        ),
        (r#"<iomap mr="ram" iovaddr="0x1000" perms="x" />"#, "`perms` is `x`; write r, w or rw"),
        (r#"<iomap mr="ram" iovaddr="0x1000" perms="" />"#, "`perms` is ``; write r, w or rw"),
        (
            r#"<iomap mr="big" iovaddr="0x200000" />"#,
            "the pages of `big` are too large for the IOMMU; remove page_size from the region, or write \
             page_size=\"0x1000\"",
        ),
        (r#"<iomap mr="ram" />"#, "element `iomap` lacks the attribute `iovaddr`; add iovaddr=\"…\""),
    ];
    let accepted = [
        r#"<iomap mr="ram" iovaddr="0" perms="w" />"#,
        r#"<iomap mr="ram" iovaddr="0x7fffffe000" perms="r" />"#,
    ];
    all(maps, &refused, &accepted);
    for (other, attribute, value) in [
        (space("nic", "0:2.0", "2", ""), "name", "nic"),
        (space("disk", "0:01.0", "2", ""), "peripheral_id", "0:01.0"),
        (space("disk", "0:2.0", "0x1", ""), "domain_id", "0x1"),
    ] {
        let message = format!("`{attribute}` is `{value}`; write one that no other io_address_space has");
        assert_eq!(first(top(&format!("{}{other}", space("nic", "0:1.0", "1", "")))), message);
    }
    let two =
        format!("{}{}", space("nic", "0:1.0", "1", accepted[0]), space("disk", "0:2.0", "2", accepted[1]));
    top(&two).unwrap();
}

#[test]
fn capabilities_go_into_slots_of_their_own() {
    let helper = r#"<protection_domain name="helper"><program_image path="h.elf" />"#;
    let check = |cspace: &str| {
        let helper = format!("{helper}<cspace>{cspace}</cspace></protection_domain>");
        top(&format!(
            r#"{helper}<protection_domain name="other"><program_image path="o.elf" /></protection_domain>"#
        ))
    };
    let refused = [
        (r#"<cap_tcb slot="0" pd="other" />"#, "`slot` is `0`; write 1 to 127"),
        (r#"<cap_tcb slot="128" pd="other" />"#, "`slot` is `128`; write 1 to 127"),
        (r#"<cap_tcb slot="1" />"#, "element `cap_tcb` lacks the attribute `pd`; add pd=\"…\""),
        (
            r#"<cap_tcb slot="1" pd="nobody" />"#,
            "there is no protection domain `nobody`; add <protection_domain name=\"nobody\">…</protection_domain> \
             or correct the name",
        ),
        (
            r#"<cap_frame slot="1" pd="other" />"#,
            "element `cap_frame` is not allowed in cspace; did you mean `cap_vspace`?",
        ),
    ];
    let accepted = [
        r#"<cap_tcb slot="1" pd="other" /><cap_sc slot="2" pd="other" /><cap_vspace slot="127" pd="other" />"#,
        r#"<cap_tcb slot="1" pd="helper" />"#,
    ];
    all(check, &refused, &accepted);
}

#[test]
fn children_have_numbers_of_their_own() {
    let child = |attributes: &str, inside: &str| {
        format!(
            r#"<protection_domain {attributes}><program_image path="c.elf" />{inside}</protection_domain>"#
        )
    };
    let taken = "`id` is `1`; write a number that no other child or vcpu of the domain has";
    let one = child(r#"name="one" id="1""#, "");
    let refused = [
        (child(r#"name="one""#, ""), "element `protection_domain` lacks the attribute `id`; add id=\"…\""),
        (child(r#"name="one" id="62""#, ""), "`id` is `62`; write 0 to 61"),
        (
            format!("{one}{}", child(r#"name="two" id="0x1""#, "")),
            "`id` is `0x1`; write a number that no other child or vcpu of the domain has",
        ),
        (format!(r#"{one}<virtual_machine name="l"><vcpu id="1" /></virtual_machine>"#), taken),
        (format!(r#"<virtual_machine name="l"><vcpu id="1" /></virtual_machine>{one}"#), taken),
        (
            child(r#"name="one" id="1" setvar_id="ferry_tx""#, ""),
            "`bob` gets the symbol `ferry_tx` twice; remove one of the two, or name another symbol",
        ),
    ];
    for (element, message) in &refused {
        assert_eq!(first(in_bob(element)), *message, "{element}");
    }
    let nested = child(r#"name="one" id="1" setvar_id="child""#, &child(r#"name="two" id="1""#, ""));
    let system = in_bob(&nested).unwrap().system;
    let parents: Vec<Option<usize>> =
        system.domains.iter().map(|domain| domain.parent.as_ref().map(|parent| parent.domain)).collect();
    let bob = system.domain("bob");
    assert_eq!(parents, [None, None, None, None, bob, system.domain("one")]);
}

#[test]
fn names_of_machines_are_as_long_as_microkit_keeps_them() {
    let machine =
        |name: &str| format!("<virtual_machine name=\"{name}\"><vcpu id=\"1\" /></virtual_machine>");
    let (kept, cut) = ("m".repeat(63), "m".repeat(64));
    let message = format!("the name `{cut}` has 64 bytes, and Microkit would cut it; shorten it to 63 bytes");
    all(in_bob, &[(&machine(&cut), &message)], &[&machine(&kept)]);
}

#[test]
fn machines_get_time_and_cores_as_domains_do() {
    let machine = |attributes: &str, processor: &str| {
        in_bob(&format!(
            r#"<virtual_machine name="m" {attributes}><vcpu id="1" {processor} /></virtual_machine>"#
        ))
    };
    let refused = [
        (r#"budget="5""#, "`budget` is `5`; write at least 20, the least that the kernel can measure"),
        (
            r#"budget="0" period="0""#,
            "`budget` is `0`; write at least 20, the least that the kernel can measure",
        ),
        (
            r#"period="100000000000000""#,
            "`period` is `100000000000000`; write at most 10_000_000_000_000, which the kernel can count",
        ),
    ];
    all(|attributes| machine(attributes, ""), &refused, &[r#"budget="20" period="20""#]);
    let board = Platform { name: "a board", cores: 2, extras: &["virtual_machine"], ..Platform::HOSTED };
    machine("", r#"cpu="1""#).unwrap().check_for(&board).unwrap();
    assert_eq!(
        machine("", r#"cpu="2""#).unwrap().check_for(&board).unwrap_err().to_string(),
        "system.xml:30: a board has no processor core 2; keep to cores below 2"
    );
}

#[test]
fn an_attribute_with_a_prefix_is_another_attribute() {
    let refused = [
        (
            r#"<map xmlns:a="b" a:mr="alice_tx" mr="ram" vaddr="0x3000000" />"#,
            "element `map` has no attribute `a:mr`; did you mean `mr`?",
        ),
        (
            r#"<map xml:space="default" mr="ram" vaddr="0x3000000" />"#,
            "element `map` has no attribute `xml:space`; known attributes: mr, vaddr, perms, cached, setvar_vaddr, \
             setvar_size, setvar_prefill_size",
        ),
    ];
    all(in_bob, &refused, &[r#"<map xmlns:a="b" mr="ram" vaddr="0x3000000" />"#]);
    // Microkit reads no attribute of the root.
    let root = SYSTEM.replacen("<system>", r#"<system xmlns:a="b" a:for="a tool" xml:space="preserve">"#, 1);
    let flows = Source::new("flows.toml", FLOWS);
    Description::check(&Source::new("system.xml", root), &flows, &[]).unwrap();
}

#[test]
fn a_channel_with_oneself_influences_nobody() {
    let own = |ids: [u8; 2]| {
        let ends = ids.map(|id| format!(r#"<end pd="bob" id="{id}" />"#)).concat();
        let system = SYSTEM.replacen("</system>", &format!("<channel>{ends}</channel></system>"), 1);
        Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", FLOWS), &[])
    };
    own([7, 8]).unwrap();
    assert_eq!(
        first(own([7, 7])),
        "`bob` has the number 7 twice, first in line 48; write id=\"1\", which is free"
    );
}

#[test]
fn address_spaces_of_devices_have_a_number_that_the_kernel_takes() {
    let space = |number: &str| {
        let attributes = format!(r#"name="nic" peripheral_id="0:1.0" domain_id="{number}""#);
        top(&format!("<io_address_space {attributes} />"))
    };
    let problem = "write 1 to 65535; the kernel has 16 bits for it, and no space 0";
    let refused =
        ["0", "65536", "0x1_0001"].map(|number| (number, format!("`domain_id` is `{number}`; {problem}")));
    let refused: Vec<(&str, &str)> = refused.iter().map(|(number, says)| (*number, says.as_str())).collect();
    all(space, &refused, &["1", "0xffff"]);
}
