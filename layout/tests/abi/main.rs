//! Compares the code with the reference page `docs/abi.md`: offsets, numbers, and the memory ordering of
//! every access.
//!
//! Each row of the page's tables has to be listed here, and each field of the code has to be on the page. So
//! neither can change alone.

// These tests compare text with constants. Miri can find nothing there and takes minutes for it.
#![cfg(not(miri))]

mod orderings;
mod page;

use core::mem::offset_of;

use ferry_layout::geometry::{
    DELIVERY_SLOTS, IN_BYTES, MAX_BUFFER_FRAMES, MAX_CHAIN, MAX_CLIENTS, MAX_GUARDS, MAX_INSPECTED, MAX_NAME,
    MAX_WINDOWS, OUT_BYTES, POST_SLOTS, TRANSMIT_SLOTS,
};
use ferry_layout::{
    ABI_VERSION, AUDIT_MAGIC, AUDIT_SLOT_BYTES, AUDIT_VERSION, AuditKind, AuditRecord, Delivery,
    DeliveryKind, Descriptor, InRegion, Kind, MAGIC, Offence, OutRegion, Peer, Post, PostKind,
    SEQUENCE_RANGE, Standing, Status, Verdict, flags,
};

use page::{PAGE, offset, rows, says};

/// The offset that a `const` assertion in `source` pins. It works for private fields too.
fn asserted(source: &str, structure: &str, field: &str) -> usize {
    let assertion = format!("offset_of!({structure}, {field}) == 0x");
    let (_, rest) =
        source.split_once(&assertion).unwrap_or_else(|| panic!("nothing asserts {structure}::{field}"));
    let digits = rest.split(|letter: char| !letter.is_ascii_hexdigit()).next().unwrap_or_default();
    usize::from_str_radix(digits, 16).unwrap()
}

/// The rows of a table with their offsets are these and no others. `expected` holds the beginning of each
/// row's field.
#[track_caller]
fn has_rows(heading: &str, expected: &[(&str, usize)]) {
    for (field, place) in expected {
        assert_eq!(offset(heading, field), *place, "{heading}: {field}");
    }
    assert_eq!(rows(heading).len(), expected.len(), "rows of {heading}");
}

#[test]
fn every_status_is_on_the_page_with_its_number() {
    let page: Vec<(String, String)> =
        rows("Statuses").iter().map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    let code: Vec<(String, String)> =
        Status::ALL.iter().map(|status| ((*status as u32).to_string(), format!("{status:?}"))).collect();
    assert_eq!(page, code);
}

#[test]
fn offsets_of_the_clients_page() {
    let private = |field| asserted(include_str!("../../src/out_region.rs"), "OutRegion", field);
    has_rows(
        "`<client>_out`",
        &[
            ("magic", private("magic")),
            ("ABI version", private("version")),
            ("epoch wanted", offset_of!(OutRegion, epoch_wanted)),
            ("transmit tail", offset_of!(OutRegion, transmit_tail)),
            ("post tail", offset_of!(OutRegion, post_tail)),
            ("delivery head", offset_of!(OutRegion, delivery_head)),
            ("withdrawals", offset_of!(OutRegion, withdrawals)),
            ("wake hint", offset_of!(OutRegion, wake)),
            ("receive requests", offset_of!(OutRegion, posts)),
            ("transmit descriptors", offset_of!(OutRegion, descriptors)),
        ],
    );
}

#[test]
fn offsets_of_centrals_page() {
    let private = |field| asserted(include_str!("../../src/in_region.rs"), "InRegion", field);
    let note = |field| {
        offset_of!(InRegion, journal) + asserted(include_str!("../../src/journal.rs"), "Journal", field)
    };
    has_rows(
        "`<client>_in`",
        &[
            ("magic", private("magic")),
            ("ABI version", private("version")),
            ("epoch that", offset_of!(InRegion, epoch)),
            ("standing", private("standing")),
            ("number of the client itself", private("domain")),
            ("entries of the directory", private("peers")),
            ("bytes of `_tx`", private("transmit_bytes")),
            ("bytes of `_rx`", private("receive_bytes")),
            ("transmit head", offset_of!(InRegion, transmit_head)),
            ("post head", offset_of!(InRegion, post_head)),
            ("delivery tail", offset_of!(InRegion, delivery_tail)),
            ("settled", offset_of!(InRegion, settled)),
            ("ended late", offset_of!(InRegion, ended_late)),
            ("wake hint:", offset_of!(InRegion, wake)),
            ("wake hint for requests", offset_of!(InRegion, wake_for_requests)),
            ("counters", offset_of!(InRegion, counters)),
            ("journal, acknowledged", note("acknowledged")),
            ("journal, open", note("open")),
            ("dropped", offset_of!(InRegion, dropped)),
            ("status words", private("statuses")),
            ("directory:", offset_of!(InRegion, directory)),
            ("deliveries", offset_of!(InRegion, deliveries)),
        ],
    );
}

#[test]
fn offsets_of_entries() {
    has_rows(
        "Transmit descriptor",
        &[
            ("source", offset_of!(Descriptor, source)),
            ("destination", offset_of!(Descriptor, destination)),
            ("length", offset_of!(Descriptor, length)),
            ("number of the target", offset_of!(Descriptor, target)),
            ("kind", offset_of!(Descriptor, kind)),
            ("flags", offset_of!(Descriptor, flags)),
            ("tag", offset_of!(Descriptor, tag)),
            ("time to live", offset_of!(Descriptor, time_to_live)),
            ("reserved", offset_of!(Descriptor, reserved)),
        ],
    );
    has_rows(
        "Receive request",
        &[
            ("place", offset_of!(Post, place)),
            ("length", offset_of!(Post, length)),
            ("number of the client", offset_of!(Post, from)),
            ("kind", offset_of!(Post, kind)),
            ("marks", offset_of!(Post, marks)),
        ],
    );
    has_rows(
        "Delivery",
        &[
            ("tag", offset_of!(Delivery, tag)),
            ("sequence", offset_of!(Delivery, sequence)),
            ("position", offset_of!(Delivery, position)),
            ("request", offset_of!(Delivery, request)),
            ("length", offset_of!(Delivery, length)),
            ("source", offset_of!(Delivery, source)),
            ("kind", offset_of!(Delivery, kind)),
            ("detail", offset_of!(Delivery, detail)),
        ],
    );
}

#[test]
fn the_audit_log() {
    let word = |name: &str| {
        let (_, rest) =
            include_str!("../../src/audit.rs").split_once(&format!("const {name}: usize = ")).unwrap();
        8 * rest.split(';').next().unwrap().parse::<usize>().unwrap()
    };
    has_rows(
        "Audit log",
        &[
            ("magic", word("MAGIC")),
            ("version", word("VERSION")),
            ("capacity", word("CAPACITY")),
            ("count", word("COUNT")),
            ("starts", word("STARTS")),
            ("records", AUDIT_SLOT_BYTES),
        ],
    );
    has_rows(
        "Audit record",
        &[
            ("sequence", offset_of!(AuditRecord, sequence)),
            ("tag", offset_of!(AuditRecord, tag)),
            ("number", offset_of!(AuditRecord, number)),
            ("tick", offset_of!(AuditRecord, tick)),
            ("start", offset_of!(AuditRecord, start)),
            ("length", offset_of!(AuditRecord, length)),
            ("detail", offset_of!(AuditRecord, detail)),
            ("kind", offset_of!(AuditRecord, kind)),
            ("status", offset_of!(AuditRecord, status)),
            ("source", offset_of!(AuditRecord, source)),
            ("target", offset_of!(AuditRecord, target)),
            ("guard", offset_of!(AuditRecord, guard)),
            ("reserved", offset_of!(AuditRecord, reserved)),
            ("previous", offset_of!(AuditRecord, previous)),
            ("hash", offset_of!(AuditRecord, hash)),
        ],
    );
    says(&[format!("slots of {AUDIT_SLOT_BYTES} bytes"), format!("{AUDIT_MAGIC:#x}")]);
    says(&[format!("the version is {AUDIT_VERSION}.")]);
    let words = [
        "central started",
        "client started",
        "client quarantined",
        "send refused",
        "receive request refused",
        "guard passed",
        "guard refused",
        "guard late",
        "message delivered",
    ];
    let kinds: Vec<String> =
        AuditKind::ALL.iter().zip(words).map(|(kind, words)| format!("{} {words}", *kind as u8)).collect();
    says(&[format!("kind: {}", kinds.join(", "))]);
    let words = ["the transmit tail", "the post tail", "the delivery head"];
    let offences: Vec<String> = Offence::ALL
        .iter()
        .zip(words)
        .map(|(offence, words)| format!("{} {words}", *offence as u32))
        .collect();
    says(&[format!("impossible: {}", offences.join(", "))]);
    says(&[format!("{}: nobody", AuditRecord::NOBODY)]);
}

#[test]
fn numbers_and_sizes() {
    says(&[format!("version {ABI_VERSION} of the ABI")]);
    says(&[format!("ABI version, {ABI_VERSION} ")]);
    says(&[format!("{MAGIC:#x}")]);
    says(&["`<client>_out`".into(), format!("{OUT_BYTES:#x}")]);
    says(&["`<client>_in`".into(), format!("{IN_BYTES:#x}")]);
    says(&["`<client>_tx`".into(), format!("{MAX_BUFFER_FRAMES} frames")]);
    assert_eq!((TRANSMIT_SLOTS, POST_SLOTS), (DELIVERY_SLOTS, DELIVERY_SLOTS));
    says(&[format!("`index mod {TRANSMIT_SLOTS}`")]);
    says(&[format!("{TRANSMIT_SLOTS} × 64 bytes"), "transmit descriptors".into()]);
    says(&[format!("{POST_SLOTS} × {} bytes", size_of::<Post>()), "receive requests".into()]);
    says(&[format!("{DELIVERY_SLOTS} × {} bytes", size_of::<Delivery>()), "deliveries".into()]);
    says(&[format!("{TRANSMIT_SLOTS} × u64"), "status words".into()]);
    says(&[format!("{MAX_CLIENTS} × 64 bytes"), format!("name ({MAX_NAME} bytes"), "directory".into()]);
    says(&[format!("{MAX_CLIENTS} × u64"), "acknowledged".into()]);
    says(&[format!("{} × u64", POST_SLOTS / 64), "a bit for each slot of the request ring".into()]);
    says(&[format!("in up to {MAX_CHAIN} descriptors at increasing indices")]);
    says(&[format!("At most {MAX_WINDOWS} windows can be open for each peer")]);
    says(&[format!("at most {MAX_GUARDS} guards")]);
    says(&[format!("at most {MAX_INSPECTED} bytes")]);
    says(&[format!("before its flow has carried {SEQUENCE_RANGE} more messages")]);
    assert_eq!(size_of::<Descriptor>(), 40);
    assert!(size_of::<Peer>() <= 64);
}

#[test]
fn kinds_flags_marks_and_standings() {
    let (next, placed) = (Kind::NextBuffer as u8, Kind::Placed as u8);
    says(&[format!("kind: {next} next posted buffer, {placed} placed")]);
    says(&[format!("{} verdict", Verdict::KIND)]);
    says(&[
        format!("{} chained, {} urgent, {} no signal", flags::CHAINED, flags::URGENT, flags::NO_SIGNAL),
        format!("the mark {} passed over", flags::PASSED_OVER),
    ]);
    assert_eq!(flags::ALL, flags::CHAINED | flags::URGENT | flags::NO_SIGNAL);
    let (buffer, window) = (PostKind::Buffer as u8, PostKind::Window as u8);
    says(&[format!("kind: {buffer} buffer for one message, {window} window")]);
    says(&[format!("{} passed over, {} withdrawn", Post::PASSED_OVER, Post::WITHDRAWN)]);
    let (message, withdrawn, refused) =
        (DeliveryKind::Message as u8, DeliveryKind::Withdrawn as u8, DeliveryKind::Refused as u8);
    let (placed_there, inspection) = (DeliveryKind::Placed as u8, DeliveryKind::Inspection as u8);
    says(&[format!(
        "kind: {message} message, {withdrawn} request withdrawn, {refused} request refused, {placed_there} message \
         placed in a window, {inspection} message to inspect"
    )]);
    let (closed, open, quarantined) =
        (Standing::Closed as u32, Standing::Open as u32, Standing::Quarantined as u32);
    says(&[format!("standing: {closed} closed, {open} open, {quarantined} quarantined")]);
    says(&[format!("{}: anyone", Post::ANYONE)]);
}

/// The page's list of the order in which things become visible equals the one in `settle.rs`, step by step.
#[test]
fn the_order_of_what_becomes_visible() {
    let code = include_str!("../../../central-pd/src/engine/settle.rs");
    let steps = |text: &'static str, begin: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix(begin));
        let step =
            |line: &str| line.trim_start().chars().next().is_some_and(|letter| letter.is_ascii_digit());
        lines.filter(|line| step(line)).map(|line| line.trim().to_lowercase()).collect()
    };
    let code = steps(code, "//!");
    let (_, section) = PAGE.split_once("## What becomes visible").expect("the section");
    let page = steps(section, "");
    assert_eq!(page.len(), code.len());
    let words = [
        "unmap",
        "refused",
        "delivery tail",
        "post head",
        "`done`",
        "acknowledged",
        "settled",
        "transmit head",
    ];
    for (word, (page, code)) in words.iter().zip(page.iter().zip(&code)) {
        assert!(page.contains(word) && code.contains(word), "{word}: {page} / {code}");
    }
}
