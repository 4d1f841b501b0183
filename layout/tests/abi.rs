//! Holds the numbers of the code against the reference page `docs/abi.md`.

use core::mem::offset_of;

use ferry_layout::geometry::{
    DELIVERY_SLOTS, IN_BYTES, MAX_BUFFER_FRAMES, MAX_CHAIN, MAX_CLIENTS, MAX_NAME, MAX_WINDOWS, OUT_BYTES,
    POST_SLOTS, TRANSMIT_SLOTS,
};
use ferry_layout::{
    ABI_VERSION, Delivery, DeliveryKind, Descriptor, InRegion, Kind, MAGIC, OutRegion, Peer, Post, PostKind,
    Standing, Status, flags,
};

const PAGE: &str = include_str!("../../docs/abi.md");

/// The rows of the tables under a heading, as trimmed cells, without their heads.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("docs/abi.md has no section {heading}"));
    let lines = section.lines().filter(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>()).skip(2).collect()
}

/// The offset in the row whose field begins with `field`.
fn offset(heading: &str, field: &str) -> usize {
    let rows = rows(heading);
    let row = rows.iter().find(|row| row[2].starts_with(field));
    let cell = row.unwrap_or_else(|| panic!("{heading} has no field {field}"))[0];
    cell.strip_prefix("0x").map_or_else(|| cell.parse(), |hex| usize::from_str_radix(hex, 16)).unwrap()
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
    let at = |field| offset("`<client>_out`", field);
    assert_eq!(at("epoch wanted"), offset_of!(OutRegion, epoch_wanted));
    assert_eq!(at("transmit tail"), offset_of!(OutRegion, transmit_tail));
    assert_eq!(at("post tail"), offset_of!(OutRegion, post_tail));
    assert_eq!(at("delivery head"), offset_of!(OutRegion, delivery_head));
    assert_eq!(at("wake hint"), offset_of!(OutRegion, wake));
    assert_eq!(at("receive requests"), offset_of!(OutRegion, posts));
    assert_eq!(at("transmit descriptors"), offset_of!(OutRegion, descriptors));
}

#[test]
fn offsets_of_centrals_page() {
    let at = |field| offset("`<client>_in`", field);
    assert_eq!(at("epoch that"), offset_of!(InRegion, epoch));
    assert_eq!(at("transmit head"), offset_of!(InRegion, transmit_head));
    assert_eq!(at("post head"), offset_of!(InRegion, post_head));
    assert_eq!(at("delivery tail"), offset_of!(InRegion, delivery_tail));
    assert_eq!(at("settled"), offset_of!(InRegion, settled));
    assert_eq!(at("wake hint"), offset_of!(InRegion, wake));
    assert_eq!(at("wake hint for requests"), offset_of!(InRegion, wake_for_requests));
    assert_eq!(at("counters"), offset_of!(InRegion, counters));
    assert_eq!(at("journal:"), offset_of!(InRegion, journal));
    assert_eq!(at("directory:"), offset_of!(InRegion, directory));
    assert_eq!(at("deliveries"), offset_of!(InRegion, deliveries));
}

#[test]
fn offsets_of_entries() {
    let at = |field| offset("Transmit descriptor", field);
    assert_eq!(at("source"), offset_of!(Descriptor, source));
    assert_eq!(at("destination"), offset_of!(Descriptor, destination));
    assert_eq!(at("length"), offset_of!(Descriptor, length));
    assert_eq!(at("number of the target"), offset_of!(Descriptor, target));
    assert_eq!(at("kind"), offset_of!(Descriptor, kind));
    assert_eq!(at("flags"), offset_of!(Descriptor, flags));
    assert_eq!(at("tag"), offset_of!(Descriptor, tag));
    assert_eq!(at("time to live"), offset_of!(Descriptor, time_to_live));
    let at = |field| offset("Receive request", field);
    assert_eq!(at("place"), offset_of!(Post, place));
    assert_eq!(at("length"), offset_of!(Post, length));
    assert_eq!(at("number of the client"), offset_of!(Post, from));
    assert_eq!(at("kind"), offset_of!(Post, kind));
    let at = |field| offset("Delivery", field);
    assert_eq!(at("the sender's tag"), offset_of!(Delivery, tag));
    assert_eq!(at("number of the message"), offset_of!(Delivery, sequence));
    assert_eq!(at("place"), offset_of!(Delivery, place));
    assert_eq!(at("length"), offset_of!(Delivery, length));
    assert_eq!(at("number of the source"), offset_of!(Delivery, source));
    assert_eq!(at("kind"), offset_of!(Delivery, kind));
}

/// The sentence of the page that contains each of `parts`, in whatever row.
#[track_caller]
fn says(parts: &[String]) {
    assert!(
        PAGE.lines().any(|line| parts.iter().all(|part| line.contains(part.as_str()))),
        "docs/abi.md has no line with {parts:?}"
    );
}

#[test]
fn numbers_and_sizes() {
    says(&[format!("version {ABI_VERSION} of the ABI")]);
    says(&[format!("{MAGIC:#x}")]);
    says(&["`<client>_out`".into(), format!("{OUT_BYTES:#x}")]);
    says(&["`<client>_in`".into(), format!("{IN_BYTES:#x}")]);
    says(&["`<client>_tx`".into(), format!("{MAX_BUFFER_FRAMES} frames")]);
    says(&[format!("{TRANSMIT_SLOTS} × 64 bytes"), "transmit descriptors".into()]);
    says(&[format!("{POST_SLOTS} × {} bytes", size_of::<Post>()), "receive requests".into()]);
    says(&[format!("{DELIVERY_SLOTS} × {} bytes", size_of::<Delivery>()), "deliveries".into()]);
    says(&[format!("{TRANSMIT_SLOTS} × u64"), "status words".into()]);
    says(&[format!("{MAX_CLIENTS} × 64 bytes"), format!("name ({MAX_NAME} bytes"), "directory".into()]);
    says(&[format!("up to {MAX_CHAIN} consecutive descriptors")]);
    says(&[format!("At most {MAX_WINDOWS} windows")]);
    assert_eq!(size_of::<Descriptor>(), 40);
    assert!(size_of::<Peer>() <= 64);
}

#[test]
fn kinds_flags_and_standings() {
    let (next, placed) = (Kind::NextBuffer as u8, Kind::Placed as u8);
    says(&[format!("kind: {next} next posted buffer, {placed} placed")]);
    says(&[format!("{} chained, {} urgent, {} no signal", flags::CHAINED, flags::URGENT, flags::NO_SIGNAL)]);
    let (buffer, window, withdraw) =
        (PostKind::Buffer as u8, PostKind::Window as u8, PostKind::Withdraw as u8);
    says(&[
        format!("kind: {buffer} buffer for one message, {window} window"),
        format!("{withdraw} withdraw"),
    ]);
    let (message, withdrawn, refused) =
        (DeliveryKind::Message as u8, DeliveryKind::Withdrawn as u8, DeliveryKind::Refused as u8);
    let placed_there = DeliveryKind::Placed as u8;
    says(&[format!(
        "kind: {message} message, {withdrawn} request withdrawn, {refused} request refused, {placed_there} message placed"
    )]);
    let (closed, open, quarantined) =
        (Standing::Closed as u32, Standing::Open as u32, Standing::Quarantined as u32);
    says(&[format!("standing: {closed} closed, {open} open, {quarantined} quarantined")]);
    says(&[format!("{}: anyone", Post::ANYONE)]);
}
