//! Holds the reachability of `ferry check` against a naive one. Random systems are described twice: as a
//! matrix of who influences whom at once, which Warshall's algorithm closes, and as the text that Ferry
//! reads. Ferry must refuse exactly the systems in which the matrix has a way between two participants.

use ferry_description::{Description, Source};
use proptest::prelude::*;
use std::fmt::Write;

/// Participants: two clients and central. They are the first nodes.
const PARTICIPANTS: [&str; 3] = ["alice", "bob", "central"];
/// Domains that take no part in flows. The ticker is the first.
const OTHERS: [&str; 4] = ["ticker", "x0", "x1", "x2"];
/// The priorities of all of them. Who answers calls has a higher one than its callers.
const PRIORITIES: [u8; DOMAINS] = [100, 100, 200, 220, 110, 120, 130];
const REGIONS: [&str; 3] = ["r0", "r1", "r2"];
const DOMAINS: usize = PARTICIPANTS.len() + OTHERS.len();

fn name(domain: usize) -> &'static str {
    PARTICIPANTS.get(domain).copied().unwrap_or_else(|| OTHERS[domain - PARTICIPANTS.len()])
}

/// A random system, beside what every system has.
#[derive(Clone, Debug)]
struct Random {
    /// For each domain and region, whether the domain reads it, or reads and writes it.
    maps: Vec<[Option<bool>; 3]>,
    /// Two domains, whether each end may signal, and whether the first calls the second.
    channels: Vec<(usize, usize, bool, bool, bool)>,
    /// A domain that holds the thread of another. Only other domains, which have no rule of their own.
    held: Vec<(usize, usize)>,
    /// Which of the others are trusted.
    trusted: Vec<usize>,
}

fn random() -> impl Strategy<Value = Random> {
    // Central is not mapped more than its own, because what it shares has a rule of its own.
    let map = prop_oneof![6 => Just(None), 1 => Just(Some(false)), 1 => Just(Some(true))];
    let maps = prop::collection::vec([map.clone(), map.clone(), map], DOMAINS);
    let others = PARTICIPANTS.len()..DOMAINS;
    let channel = (0..DOMAINS, others.clone(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.3));
    let channel = channel.prop_filter("two ends", |channel| channel.0 != channel.1);
    // A call to or from central has a rule of its own.
    let channel = channel.prop_map(|(a, b, one, two, call)| {
        let call = call && name(a) != "central" && PRIORITIES[a] < PRIORITIES[b];
        (a, b, one, two, call)
    });
    let held = (others.clone(), prop_oneof![0..2_usize, others.clone()]);
    let trusted = prop::sample::subsequence(others.collect::<Vec<_>>(), 0..=2);
    let channels = prop::collection::vec(channel, 0..3);
    (maps, channels, prop::collection::vec(held, 0..2), trusted)
        .prop_map(|(maps, channels, held, trusted)| Random { maps, channels, held, trusted })
}

impl Random {
    /// Who influences whom at once. Nodes are the domains and then the regions.
    fn matrix(&self) -> Vec<Vec<bool>> {
        let nodes = DOMAINS + REGIONS.len();
        let mut matrix = vec![vec![false; nodes]; nodes];
        for (domain, maps) in self.maps.iter().enumerate() {
            for (region, map) in maps.iter().enumerate() {
                let region = DOMAINS + region;
                matrix[region][domain] |= map.is_some();
                matrix[domain][region] |= *map == Some(true);
            }
        }
        for (a, b, one, two, call) in &self.channels {
            matrix[*a][*b] |= one | call;
            matrix[*b][*a] |= two | call;
        }
        for (holder, held) in &self.held {
            matrix[*holder][*held] |= holder != held;
            matrix[*held][*holder] |= holder != held;
        }
        // The ticker and central have a channel.
        let (central, ticker) = (PARTICIPANTS.len() - 1, PARTICIPANTS.len());
        matrix[central][ticker] = true;
        matrix[ticker][central] = true;
        matrix
    }

    /// Closes the matrix over the nodes that a path may lead through.
    fn closed(&self, may_pass: &dyn Fn(usize) -> bool) -> Vec<Vec<bool>> {
        let mut matrix = self.matrix();
        for through in (0..matrix.len()).filter(|node| may_pass(*node)) {
            for from in 0..matrix.len() {
                for to in 0..matrix.len() {
                    matrix[from][to] |= matrix[from][through] && matrix[through][to];
                }
            }
        }
        matrix
    }

    /// Whether there is a path between participants that passes nobody trusted.
    fn has_path(&self) -> bool {
        let is_participant = |node: usize| node < PARTICIPANTS.len();
        let matrix = self.closed(&|node| !is_participant(node) && !self.trusted.contains(&node));
        let participants = 0..PARTICIPANTS.len();
        participants.clone().any(|from| participants.clone().any(|to| from != to && matrix[from][to]))
    }

    /// Whether each who is trusted is on a path between two participants.
    fn is_needed(&self) -> bool {
        let matrix = self.closed(&|node| node >= PARTICIPANTS.len());
        let participants = 0..PARTICIPANTS.len();
        self.trusted.iter().all(|trusted| {
            participants.clone().any(|from| {
                let mut targets = participants.clone();
                targets.any(|to| from != to && matrix[from][*trusted] && matrix[*trusted][to])
            })
        })
    }

    fn system(&self) -> String {
        let mut text = include_str!("fixtures/valid/system.xml").to_owned();
        for (domain, maps) in self.maps.iter().enumerate() {
            let mut own = String::new();
            for (region, map) in maps.iter().enumerate() {
                if let Some(writes) = map {
                    let (perms, address) =
                        (if *writes { "rw" } else { "r" }, 0x3000_0000 + region * 0x1_0000);
                    let region = REGIONS[region];
                    writeln!(own, r#"<map mr="{region}" vaddr="{address:#x}" perms="{perms}" />"#).unwrap();
                }
            }
            own.push_str("<cspace>");
            for (slot, (holder, held)) in (1..).zip(&self.held) {
                if *holder == domain {
                    write!(own, r#"<cap_tcb slot="{slot}" pd="{}" />"#, name(*held)).unwrap();
                }
            }
            own.push_str("</cspace>");
            let head = format!(r#"<program_image path="{}.elf" />"#, name(domain));
            if domain <= PARTICIPANTS.len() {
                text = text.replace(&head, &format!("{head}{own}"));
            } else {
                let (name, priority) = (name(domain), PRIORITIES[domain]);
                let domain = format!(r#"<protection_domain name="{name}" priority="{priority}">{head}{own}"#);
                text = text.replacen("<channel>", &format!("{domain}</protection_domain>\n<channel>"), 1);
            }
        }
        let mut more = String::new();
        for region in REGIONS {
            writeln!(more, r#"<memory_region name="{region}" size="0x1000" />"#).unwrap();
        }
        for (number, (a, b, one, two, call)) in self.channels.iter().enumerate() {
            let id = 10 + number;
            let (a, b) = (name(*a), name(*b));
            write!(more, r#"<channel><end pd="{a}" id="{id}" notify="{one}" pp="{call}" />"#).unwrap();
            writeln!(more, r#"<end pd="{b}" id="{id}" notify="{two}" /></channel>"#).unwrap();
        }
        text.replace("</system>", &format!("{more}</system>"))
    }

    fn flows(&self) -> String {
        let mut text = include_str!("fixtures/valid/flows.toml").to_owned();
        for trusted in &self.trusted {
            write!(text, "\n[[trusted]]\ndomain = \"{}\"\nreason = \"a test\"\n", name(*trusted)).unwrap();
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_systems_with_a_path_are_refused(random in random()) {
        let (system, flows) = (random.system(), random.flows());
        let checked = Description::check(
            &Source::new("system.xml", system.as_str()),
            &Source::new("flows.toml", flows.as_str()),
            &[],
        );
        let allowed = ["hidden_path", "needless_trust", "shared_memory"];
        let mut has_path = false;
        let mut is_needed = true;
        if let Err(mistakes) = &checked {
            for mistake in mistakes {
                let rule = mistake.problem.rule();
                prop_assert!(allowed.contains(&rule), "{}\n{}", mistake, system);
                has_path |= rule != "needless_trust";
                is_needed &= rule != "needless_trust";
            }
        }
        prop_assert_eq!(has_path, random.has_path(), "{:?}\n{}", checked.map(|_| ()), system);
        // Where single steps are wrong already, nothing is said about trust.
        let says_all = checked.as_ref().map_or_else(
            |mistakes| mistakes.iter().all(|mistake| mistake.problem.rule() != "shared_memory"),
            |_| true,
        );
        if says_all {
            prop_assert_eq!(is_needed, random.is_needed(), "{}\n{}", flows, system);
        }
    }
}
