//! Compares the columns "stored" and "loaded" of the page with the orderings in the source.
//!
//! The listing names, for each row, the statements that store and load the field. Their orderings are read
//! out of the source, so a change there or on the page fails. The listing is complete in both directions:
//! each row has an entry, and each synchronising ordering or fence in the source belongs to an entry.

use std::collections::BTreeSet;

use crate::page::{row, rows};

/// A statement of the source: its file, its function, and the beginning of the access.
type Place = (&'static str, &'static str, &'static str);

/// A row of the page, and the statements that store and load the field.
struct Entry {
    page: &'static str,
    field: &'static str,
    stored: &'static [Place],
    loaded: &'static [Place],
}

const fn entry(
    page: &'static str,
    field: &'static str,
    (stored, loaded): (&'static [Place], &'static [Place]),
) -> Entry {
    Entry { page, field, stored, loaded }
}

type Ways = (&'static [Place], &'static [Place]);

const OUT: &str = "`<client>_out`";
const IN: &str = "`<client>_in`";
const AUDIT: &str = "Audit log";

const INDEX: Ways = (&[("index.rs", "publish", "self.0.store(")], &[("index.rs", "observe", "self.0.load(")]);
const HINT: Ways =
    (&[("wake.rs", "arm", "self.0.store(")], &[("wake.rs", "asks_for_signal", "self.0.load(")]);
const ENTRIES: Ways = (
    &[("entry.rs", "store", "cell.store("), ("entry.rs", "set_bits", "cell.store(")],
    &[("entry.rs", "load", "cell.load("), ("entry.rs", "word", ".load(")],
);
/// The words of the audit log's header.
const PUBLISHED: &[Place] = &[("entry.rs", "publish", "self.0[NUMBER].store(")];
const OBSERVED: Ways = (PUBLISHED, &[("entry.rs", "observe", "self.0[NUMBER].load(")]);
const READ: Ways = (PUBLISHED, &[("entry.rs", "word", "self.0[NUMBER].load(")]);

const LISTING: &[Entry] = &[
    entry(
        OUT,
        "magic",
        (
            &[("out_region.rs", "ask_for_epoch", "self.magic.store(")],
            &[("out_region.rs", "wanted_epoch", "self.magic.load(")],
        ),
    ),
    entry(
        OUT,
        "ABI version",
        (
            &[("out_region.rs", "ask_for_epoch", "self.version.store(")],
            &[("out_region.rs", "wanted_epoch", "self.version.load(")],
        ),
    ),
    entry(OUT, "epoch wanted", INDEX),
    entry(OUT, "transmit tail", INDEX),
    entry(OUT, "post tail", INDEX),
    entry(OUT, "delivery head", INDEX),
    entry(OUT, "withdrawals", INDEX),
    entry(OUT, "wake hint", HINT),
    entry(OUT, "receive requests", ENTRIES),
    entry(OUT, "transmit descriptors", ENTRIES),
    entry(
        IN,
        "magic",
        (
            &[("in_region.rs", "introduce", "self.magic.store(")],
            &[("in_region.rs", "is_introduced", "self.magic.load(")],
        ),
    ),
    entry(
        IN,
        "ABI version",
        (
            &[("in_region.rs", "introduce", "self.version.store(")],
            &[("in_region.rs", "is_introduced", "self.version.load(")],
        ),
    ),
    entry(IN, "epoch that", INDEX),
    entry(
        IN,
        "standing",
        (
            &[("in_region.rs", "set_standing", "self.standing.store(")],
            &[("in_region.rs", "standing", "self.standing.load(")],
        ),
    ),
    entry(
        IN,
        "number of the client itself",
        (
            &[("in_region.rs", "introduce", "self.domain.store(")],
            &[("in_region.rs", "domain", "self.domain.load(")],
        ),
    ),
    entry(
        IN,
        "entries of the directory",
        (
            &[("in_region.rs", "introduce", "self.peers.store(")],
            &[("in_region.rs", "peer_count", "self.peers.load(")],
        ),
    ),
    entry(
        IN,
        "bytes of `_tx`",
        (
            &[("in_region.rs", "introduce", "self.transmit_bytes.store(")],
            &[("in_region.rs", "transmit_bytes", "self.transmit_bytes.load(")],
        ),
    ),
    entry(
        IN,
        "bytes of `_rx`",
        (
            &[("in_region.rs", "introduce", "self.receive_bytes.store(")],
            &[("in_region.rs", "receive_bytes", "self.receive_bytes.load(")],
        ),
    ),
    entry(IN, "transmit head", INDEX),
    entry(IN, "post head", INDEX),
    entry(IN, "delivery tail", INDEX),
    entry(IN, "settled", INDEX),
    entry(IN, "ended late", INDEX),
    entry(IN, "wake hint:", HINT),
    entry(IN, "wake hint for requests", HINT),
    entry(
        IN,
        "counters",
        (&[("in_region.rs", "add", "self.0.store(")], &[("in_region.rs", "get", "self.0.load(")]),
    ),
    entry(
        IN,
        "journal, acknowledged",
        (&[("journal.rs", "acknowledge", ".store(")], &[("journal.rs", "acknowledged", "word.load(")]),
    ),
    entry(
        IN,
        "journal, open",
        (
            &[("journal.rs", "set_open", "word.store(")],
            &[("journal.rs", "open", "low.load("), ("journal.rs", "open", "high.load(")],
        ),
    ),
    entry(
        IN,
        "dropped",
        (&[("in_region.rs", "add", "self.0.store(")], &[("in_region.rs", "get", "self.0.load(")]),
    ),
    entry(
        IN,
        "status words",
        (
            &[("status.rs", "store", "self.0.store(")],
            &[("status.rs", "get", "self.0.load("), ("status.rs", "observe", "self.0.load(")],
        ),
    ),
    entry(IN, "directory:", ENTRIES),
    entry(IN, "deliveries", ENTRIES),
    entry(AUDIT, "magic", OBSERVED),
    entry(AUDIT, "version", READ),
    entry(AUDIT, "capacity", READ),
    entry(AUDIT, "count", OBSERVED),
    entry(AUDIT, "starts", READ),
    entry(AUDIT, "records", ENTRIES),
];

const SOURCES: &[(&str, &str)] = &[
    ("address.rs", include_str!("../../src/address.rs")),
    ("audit.rs", include_str!("../../src/audit.rs")),
    ("config.rs", include_str!("../../src/config.rs")),
    ("delivery.rs", include_str!("../../src/delivery.rs")),
    ("descriptor.rs", include_str!("../../src/descriptor.rs")),
    ("directory.rs", include_str!("../../src/directory.rs")),
    ("entry.rs", include_str!("../../src/entry.rs")),
    ("geometry.rs", include_str!("../../src/geometry.rs")),
    ("in_region.rs", include_str!("../../src/in_region.rs")),
    ("index.rs", include_str!("../../src/index.rs")),
    ("journal.rs", include_str!("../../src/journal.rs")),
    ("lib.rs", include_str!("../../src/lib.rs")),
    ("observe.rs", include_str!("../../src/observe.rs")),
    ("out_region.rs", include_str!("../../src/out_region.rs")),
    ("post.rs", include_str!("../../src/post.rs")),
    ("ring.rs", include_str!("../../src/ring.rs")),
    ("status.rs", include_str!("../../src/status.rs")),
    ("sync.rs", include_str!("../../src/sync.rs")),
    ("verdict.rs", include_str!("../../src/verdict.rs")),
    ("wake.rs", include_str!("../../src/wake.rs")),
];

const FENCE: &str = "fence(Ordering::SeqCst);";

fn source(file: &str) -> &'static str {
    SOURCES.iter().find(|(name, _)| *name == file).unwrap_or_else(|| panic!("{file} is not listed")).1
}

/// The range of the body of the one function with this name that contains the access.
fn body(file: &str, function: &str, access: &str) -> core::ops::Range<usize> {
    let text = source(file);
    let begins = [format!("fn {function}("), format!("fn {function}<")];
    let bodies = begins.iter().flat_map(|begin| text.match_indices(begin.as_str())).map(|(start, _)| {
        let end = text[start..].find("\n    }\n").expect("methods end so");
        start..start + end
    });
    let found: Vec<_> = bodies.filter(|body| text[body.clone()].contains(access)).collect();
    assert_eq!(found.len(), 1, "{file}: fn {function} with {access}");
    found[0].clone()
}

/// The position, in its file, of the ordering of the access.
fn place((file, function, access): Place) -> usize {
    let text = source(file);
    let body = body(file, function, access);
    let start = body.start + text[body.clone()].find(access).expect("just looked");
    let statement = &text[start..body.end];
    let ordering = statement.find("Ordering::").expect("an atomic access has an ordering");
    assert!(!statement[..ordering].contains(';'), "{file}: {function}: {access} has no ordering");
    start + ordering
}

/// The ordering that the source has for the access, in the words of the page.
fn ordering(access: Place) -> String {
    let (file, function, beginning) = access;
    let text = source(file);
    let at = place(access);
    let name = text[at..].trim_start_matches("Ordering::").split(|c: char| !c.is_alphabetic()).next();
    let ordering = name.unwrap_or_default().to_lowercase();
    let body = body(file, function, beginning);
    match text[body.clone()].find(FENCE) {
        None => ordering,
        Some(fence) if body.start + fence < at => format!("a fence, then {ordering}"),
        Some(_) => format!("{ordering}, then a fence"),
    }
}

#[test]
fn every_access_has_the_ordering_that_the_page_says() {
    for Entry { page, field, stored, loaded } in LISTING {
        let row = row(page, field);
        for (column, accesses) in [(3, stored), (4, loaded)] {
            for access in *accesses {
                assert_eq!(row[column], ordering(*access), "{page}, {field}: page and source, {access:?}");
            }
        }
    }
}

#[test]
fn every_row_is_listed() {
    for page in [OUT, IN, AUDIT] {
        let listed: Vec<_> =
            LISTING.iter().filter(|entry| entry.page == page).map(|entry| entry.field).collect();
        for row in rows(page) {
            let entries = listed.iter().filter(|field| row[2].starts_with(**field)).count();
            assert_eq!(entries, 1, "{page}: {}", row[2]);
        }
        assert_eq!(rows(page).len(), listed.len());
    }
}

/// Every acquire, release and fence in the source is in the listing, and so on the page.
#[test]
fn every_synchronising_ordering_is_listed() {
    let listed: BTreeSet<(&str, usize)> = LISTING
        .iter()
        .flat_map(|entry| entry.stored.iter().chain(entry.loaded))
        .map(|access| (access.0, place(*access)))
        .collect();
    for (file, text) in SOURCES {
        for ordering in ["Ordering::Acquire", "Ordering::Release", "Ordering::AcqRel"] {
            for (at, _) in text.match_indices(ordering) {
                let line = text[..at].lines().count();
                assert!(
                    listed.contains(&(*file, at)),
                    "layout/src/{file}:{line}: {ordering} is not on the page"
                );
            }
        }
        let fences = if *file == "wake.rs" { 2 } else { 0 };
        assert_eq!(text.matches(FENCE).count(), fences, "fences in {file}");
        assert_eq!(text.matches("Ordering::SeqCst").count(), fences, "{file}");
    }
}

/// Every file of the crate is in the list of sources.
#[test]
fn every_source_is_listed() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let entries = std::fs::read_dir(directory).unwrap();
    let files: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let listed: BTreeSet<String> = SOURCES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, listed);
}
