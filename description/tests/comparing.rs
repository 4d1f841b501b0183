//! What is found when an image is compared with its description. The image here is a list that is made from
//! the description, and then changed.

use std::convert::Infallible;

use ferry_description::{
    Compared, Description, Difference, Found, FoundDomain, FoundFrame, FoundPage, FoundSignal, Frame,
    Permissions, Placement, Source, sequential,
};

const SYSTEM: &str = include_str!("fixtures/valid/system.xml");
const FLOWS: &str = include_str!("fixtures/valid/flows.toml");

/// Frames of 4 KiB.
const BITS: u8 = 12;

/// The valid description, in which `alice` has these maps too.
fn description(maps: &str) -> Description {
    let system = SYSTEM
        .replacen("<system>", "<system><memory_region name=\"more\" size=\"0x3000\" />", 1)
        .replacen("alice.elf\" />", &format!("alice.elf\" />{maps}"), 1);
    Description::check(&Source::new("system.xml", &system), &Source::new("flows.toml", FLOWS), &[]).unwrap()
}

/// The frame of a page of a region.
fn frame(region: usize, page: u64) -> Frame {
    Frame { number: ((region as u64) << 32) | page, bits: BITS }
}

/// The image that the description asks for.
fn image(description: &Description, placement: &Placement) -> Found {
    let system = &description.system;
    let mut domains: Vec<FoundDomain> = system
        .domains
        .iter()
        .map(|domain| FoundDomain {
            name: domain.name.clone(),
            priority: domain.priority,
            pages: Vec::new(),
            ..FoundDomain::default()
        })
        .collect();
    for (found, domain) in domains.iter_mut().zip(&system.domains) {
        for map in domain.maps.iter().filter(|map| map.permissions.to_string() != "") {
            let pages = 0..system.regions[map.region].bytes >> BITS;
            found.pages.extend(pages.map(|page| FoundPage {
                address: map.address + (page << BITS),
                frame: frame(map.region, page),
                permissions: Permissions { read: true, ..map.permissions },
            }));
        }
    }
    for grant in &placement.grants {
        let permissions = if grant.writable { Permissions::READ_WRITE } else { Permissions::READ };
        domains[description.central].frames.extend((0..grant.buffer.frames()).map(|page| FoundFrame {
            capability: grant.first_capability + page,
            frame: frame(grant.region, page),
            permissions,
        }));
    }
    for channel in &system.channels {
        let [one, other] = &channel.ends;
        for (end, to) in [(one, other), (other, one)] {
            domains[end.domain].signals.push(FoundSignal {
                id: end.id,
                target: system.domains[to.domain].name.clone(),
                target_id: to.id,
                is_call: false,
            });
        }
    }
    Found { domains, fills: Vec::new() }
}

/// How the image differs after this change. `contents` is what fills regions in the description.
fn after(
    maps: &str,
    contents: &[(&str, Vec<u8>)],
    change: impl FnOnce(&Description, &mut Found),
) -> (Vec<Difference>, Compared) {
    let description = description(maps);
    let placement = description.place(&mut sequential(64));
    let mut found = image(&description, &placement);
    change(&description, &mut found);
    let number =
        |name: &str| description.system.regions.iter().position(|region| region.name == name).unwrap();
    let contents: Vec<_> = contents.iter().map(|(name, bytes)| (number(name), bytes.clone())).collect();
    let program = |_| Ok::<_, Infallible>(Vec::new());
    description.differences(&found, &placement, &contents, &program).unwrap()
}

#[test]
fn an_image_as_the_description_says_has_no_difference_and_all_of_it_is_compared() {
    let (differences, compared) = after("", &[], |_, _| {});
    assert_eq!(differences, []);
    // Central maps 11 pages, each client 37. Central has the 16 frames of each of the four buffers.
    assert_eq!(compared, Compared { domains: 4, pages: 85, frames: 64, signals: 6 });
    assert_eq!(
        compared.to_string(),
        "the image is what the description says: 4 protection domains, 85 pages mapped, 64 capabilities of \
         frames, 6 capabilities to signal or to call"
    );
    let one = Compared { domains: 1, pages: 1, frames: 1, signals: 1 };
    assert_eq!(
        one.to_string(),
        "the image is what the description says: 1 protection domain, 1 page mapped, 1 capability of frames, \
         1 capability to signal or to call"
    );
}

#[test]
fn a_domain_too_many_and_one_too_few_are_found() {
    let (differences, _) = after("", &[], |_, found| {
        found.domains.push(FoundDomain { name: "mallory".into(), ..FoundDomain::default() });
    });
    assert_eq!(differences, [Difference::ExtraDomain { domain: "mallory".into() }]);
    let (differences, compared) = after("", &[], |_, found| {
        found.domains.retain(|domain| domain.name != "ticker");
    });
    assert_eq!(differences, [Difference::MissingDomain { domain: "ticker".into() }]);
    assert_eq!(compared.domains, 3);
}

/// A map without permissions needs no page. One with any can be read, because every page can.
#[test]
fn a_map_is_there_if_it_has_permissions() {
    for (perms, is_there) in [("", false), ("x", true), ("r", true), ("rw", true), ("rwx", true)] {
        let maps = format!(r#"<map mr="more" vaddr="0x30000000" perms="{perms}" />"#);
        assert_eq!(after(&maps, &[], |_, _| {}).0, [], "{perms}");
        let (differences, _) = after(&maps, &[], |_, found| {
            for domain in &mut found.domains {
                domain.pages.retain(|page| page.address != 0x3000_1000);
            }
        });
        let missing =
            Difference::MissingPage { domain: "alice".into(), region: "more".into(), address: 0x3000_1000 };
        assert_eq!(differences, vec![missing; usize::from(is_there)], "{perms}");
    }
}

/// What fills a region is compared page by page, to its last one.
#[test]
fn contents_are_compared_in_every_page() {
    let maps = r#"<map mr="more" vaddr="0x30000000" perms="r" />"#;
    let contents: Vec<u8> = (0..=u8::MAX).cycle().take(0x2800).collect();
    let fill = |change: Option<usize>| {
        let mut image = contents.clone();
        image.resize(0x3000, 0);
        if let Some(at) = change {
            image[at] ^= 1;
        }
        let filled = [("more", contents.clone())];
        after(maps, &filled, |description, found| {
            let region = description.system.regions.iter().position(|region| region.name == "more").unwrap();
            // In another order than that of the pages.
            for page in [2_usize, 0, 1] {
                let bytes = image[page << BITS..(page + 1) << BITS].to_vec();
                found.fills.push((frame(region, page as u64), bytes));
            }
        })
        .0
    };
    assert_eq!(fill(None), []);
    for at in [0, 0xfff, 0x1000, 0x27ff, 0x2800, 0x2fff] {
        assert_eq!(fill(Some(at)), [Difference::Contents { region: "more".into(), offset: at as u64 }]);
    }
}
