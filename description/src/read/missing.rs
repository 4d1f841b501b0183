//! What a missing attribute could be: an address or a number that is free in its protection domain. Elements
//! that come later are looked at too, so that a proposal is right for the whole file. Proposals for several
//! missing attributes differ.

use super::element::{Element, parse_number};
use crate::free;
use crate::limits::PAGE_BYTES;
use crate::system::System;
use roxmltree::Node;

/// A free address for the map `element`, which lacks `vaddr`.
pub(super) fn address(element: Element<'_>, system: &System) -> Option<String> {
    let bytes = |map: Element<'_>| {
        let region = map.attribute("mr").and_then(|name| system.region(name));
        region.map_or(PAGE_BYTES, |region| system.regions[region].bytes)
    };
    let domain = Element(element.0.parent()?);
    let maps = || domain.children().filter(|child| child.name() == "map");
    let range = |map: Element<'_>| {
        let start = parse_number(map.attribute("vaddr")?)?;
        Some((start, start.saturating_add(bytes(map))))
    };
    let mut taken: Vec<(u64, u64)> = maps().filter_map(range).collect();
    let mut without = maps().filter(|map| map.attribute("vaddr").is_none());
    without.find_map(|map| {
        let address = free::address(&mut taken, bytes(map));
        (map.0 == element.0).then(|| format!("{address:#x}"))
    })
}

/// A free number for the end `element`, which lacks `id`.
pub(super) fn number(element: Element<'_>) -> Option<String> {
    let domain = element.attribute("pd")?;
    let numbers_of = |node: Node<'_, '_>| match node.tag_name().name() {
        "end" => node.attribute("pd") == Some(domain),
        "irq" => node.parent().and_then(|parent| parent.attribute("name")) == Some(domain),
        _ => false,
    };
    let all = element.0.document().descendants().filter(|node| numbers_of(*node));
    let mut taken: Vec<u8> = all.clone().filter_map(|node| node.attribute("id")?.parse().ok()).collect();
    let mut without = all.filter(|node| node.attribute("id").is_none());
    without.find_map(|node| {
        let number = free::number(&taken)?;
        taken.push(number);
        (node == element.0).then(|| number.to_string())
    })
}
