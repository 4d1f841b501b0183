//! Reads memory regions, and finds the region that another element names. The size of a region can come from
//! the file that fills it.

use super::element::{Element, Log};
use crate::limits::{LARGE_PAGE_BYTES, PAGE_BYTES, client_and_suffix};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::system::{Extra, Region, System};
use std::path::PathBuf;

const ATTRIBUTES: [&str; 6] = ["name", "size", "page_size", "phys_addr", "prefill_path", "prefill_bootinfo"];
/// What the kernel's boot information can fill a region with.
const BOOT_INFORMATION: [&str; 6] =
    ["x86_vbe", "x86_mbmmap", "x86_acpi_rsdp", "x86_framebuffer", "x86_tsc_freq", "fdt"];

pub(super) fn region(element: Element<'_>, system: &mut System, log: &mut Log<'_>) {
    element.check_attributes(&ATTRIBUTES, log);
    let name = element.name_of("name", log);
    let page_bytes = element.number("page_size", log);
    if let Some(page) = page_bytes
        && !matches!(page, PAGE_BYTES | LARGE_PAGE_BYTES)
    {
        log.bad_value(element, "page_size", "0x1000 or 0x200_000");
    }
    // A page size that is none has been reported.
    let page = page_bytes.filter(|page| matches!(*page, PAGE_BYTES | LARGE_PAGE_BYTES)).unwrap_or(PAGE_BYTES);
    let (prefill, prefill_bytes) = prefill(element, log);
    let boot_information = boot_information(element, log);
    let bytes = size(element, page, prefill_bytes, boot_information, log);
    let physical = physical(element, page, bytes, log);
    for attribute in ["phys_addr", "prefill_bootinfo"] {
        if element.attribute(attribute).is_some() {
            system.extras.push(Extra { name: attribute.into(), place: log.place(element) });
        }
    }
    let Some(name) = name else { return };
    if let Some(first) = system.region(name) {
        let first = system.regions[first].place.line();
        log.report(element.value_span("name"), Problem::DuplicateName { name: name.into(), first });
        return;
    }
    system.regions.push(Region {
        name: name.into(),
        // An unreadable size has been reported. The region still exists for elements that name it.
        bytes: bytes.unwrap_or(page),
        page_bytes,
        physical,
        prefill,
        prefill_bytes: prefill_bytes.unwrap_or(0),
        boot_information,
        place: log.place(element),
    });
}

/// The size of a region: the stated one, else that of its contents.
fn size(
    element: Element<'_>,
    page: u64,
    prefill: Option<u64>,
    boot_information: bool,
    log: &mut Log<'_>,
) -> Option<u64> {
    if element.attribute("size").is_some() {
        let bytes = element.number("size", log)?;
        if bytes == 0 || !bytes.is_multiple_of(page) {
            log.bad_value(element, "size", "a multiple of the page size, and not 0");
        }
        return Some(bytes);
    }
    if boot_information {
        return Some(page);
    }
    if element.attribute("prefill_path").is_none() {
        element.required("size", log);
    }
    prefill.and_then(|bytes| bytes.checked_next_multiple_of(page))
}

/// The physical address of a region.
fn physical(element: Element<'_>, page: u64, bytes: Option<u64>, log: &mut Log<'_>) -> Option<u64> {
    let address = element.number("phys_addr", log)?;
    if !address.is_multiple_of(page) {
        log.bad_value(element, "phys_addr", "a multiple of the page size");
    } else if address.checked_add(bytes?).is_none() {
        log.bad_value(element, "phys_addr", "an address such that the region ends below 2^64");
    }
    Some(address)
}

/// The file that fills a region, and its size in bytes.
fn prefill(element: Element<'_>, log: &mut Log<'_>) -> (Option<PathBuf>, Option<u64>) {
    let Some(name) = element.path("prefill_path", log) else { return (None, None) };
    let Some(path) = log.source.find(name) else {
        log.report(element.value_span("prefill_path"), Problem::MissingFile { file: name.into() });
        return (None, None);
    };
    let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
    if bytes == 0 {
        log.report(element.value_span("prefill_path"), Problem::EmptyFile { file: name.into() });
    }
    (Some(path), Some(bytes))
}

/// Whether the kernel's boot information fills a region.
fn boot_information(element: Element<'_>, log: &mut Log<'_>) -> bool {
    let Some(what) = element.attribute("prefill_bootinfo") else { return false };
    if !BOOT_INFORMATION.contains(&what) {
        log.bad_value(
            element,
            "prefill_bootinfo",
            "x86_vbe, x86_mbmmap, x86_acpi_rsdp, x86_framebuffer, x86_tsc_freq or fdt",
        );
    }
    if element.attribute("prefill_path").is_some() {
        log.report(element.value_span("prefill_bootinfo"), Problem::TwoPrefills);
    }
    true
}

/// Finds the region that an attribute names.
pub(super) fn region_of(
    element: Element<'_>,
    attribute: &'static str,
    system: &System,
    log: &mut Log<'_>,
) -> Option<usize> {
    let name = element.required(attribute, log)?;
    let region = system.region(name);
    if region.is_none() {
        let regions = system.regions.iter().map(|region| region.name.as_str());
        let meant = nearest(name, regions.filter(|other| !is_of_same_client(name, other)));
        log.report(element.value_span(attribute), Problem::UnknownRegion { name: name.into(), meant });
    }
    region
}

/// Whether both are names of regions of one client, as `bob_tx` and `bob_rx` are. Nobody takes the one for
/// the other.
fn is_of_same_client(name: &str, other: &str) -> bool {
    let clients = client_and_suffix(name).zip(client_and_suffix(other));
    clients.is_some_and(|((of_one, _), (of_other, _))| of_one == of_other)
}
