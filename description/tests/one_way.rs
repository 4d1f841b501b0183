//! What leads back from the receiver of a one-way flow, and how that is acknowledged.

use ferry_description::{Description, Mistakes, Source};
use std::path::Path;

/// Checks a system description among `directory` with these flows.
fn check(system: &str, flows: &str) -> Result<Description, Mistakes> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(system);
    let system = std::fs::read_to_string(path).unwrap();
    let flows = format!("[tick]\nperiod_us = 10_000\n{flows}");
    Description::check(&Source::new("system.xml", system), &Source::new("flows.toml", flows), &[])
}

/// A flow with further keys.
fn flow(from: &str, to: &str, keys: &str) -> String {
    format!("[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n{keys}\n")
}

const ONE_WAY: &str = "one_way = true";

/// Two clients and a guard, `schema`.
const WITH_GUARD: &str = "fixtures/long_inspection/system.xml";
/// Two clients, and a server that both call.
const WITH_SERVER: &str = "paths/server_that_both_call/system.xml";
/// Many clients.
const WITH_MANY: &str = "fixtures/too_many_guards/system.xml";

#[test]
fn a_flow_can_be_one_way_with_and_without_guards() {
    let one_way = flow("alice", "bob", ONE_WAY);
    let description = check("fixtures/valid/system.xml", &one_way).unwrap();
    let found = &description.flows[0];
    assert!(found.one_way && found.return_path.is_none());
    assert_eq!(found.max_message, 64 * 1024, "without a limit, the most that such a flow carries");
    let report = description.report().to_string();
    assert!(report.contains("\n    one-way: `alice` learns nothing of `bob` by it\n"), "{report}");
    let guarded = flow("alice", "bob", "one_way = true\nguards = [\"schema\"]");
    let report = check(WITH_GUARD, &guarded).unwrap().report().to_string();
    assert!(report.contains("\n    within 50 ticks a stage, else dropped\n"), "{report}");
    let explicit = flow("alice", "bob", "one_way = false");
    assert!(!check("fixtures/valid/system.xml", &explicit).unwrap().flows[0].one_way);
}

#[test]
fn two_one_way_flows_in_both_directions_lead_back() {
    let both = flow("alice", "bob", ONE_WAY) + &flow("bob", "alice", ONE_WAY);
    let rules: Vec<_> =
        check("fixtures/valid/system.xml", &both).unwrap_err().iter().map(|it| it.problem.rule()).collect();
    assert_eq!(rules, ["return_path", "return_path"]);
}

#[test]
fn a_trusted_domain_leads_back_until_that_is_acknowledged() {
    let trusted = "[[trusted]]\ndomain = \"server\"\nreason = \"it counts\"\n";
    let mistakes = check(WITH_SERVER, &(flow("alice", "bob", ONE_WAY) + trusted)).unwrap_err().to_string();
    assert_eq!(
        mistakes,
        "flows.toml:6: this flow is one-way, but `bob` can influence `alice`: `bob` calls `server`, `server` \
         answers calls of `alice`; make these flows one-way or remove one, or say why it is right: \
         return_path = \"…\""
    );
    let acknowledged = flow("alice", "bob", "one_way = true\nreturn_path = \"it counts to three\"");
    let report = check(WITH_SERVER, &(acknowledged + trusted)).unwrap().report().to_string();
    let expected = "
    but `bob` can influence `alice` in another way
      because: it counts to three
";
    assert!(report.contains(expected), "{report}");
    let empty = flow("alice", "bob", "one_way = true\nreturn_path = \" \"");
    assert!(check(WITH_SERVER, &(empty + trusted)).is_err(), "that is no reason");
}

#[test]
fn a_chain_of_flows_leads_back_unless_one_of_them_is_one_way() {
    let chain = |middle: &str| {
        flow("alice", "bob", ONE_WAY) + &flow("bob", "guarda", middle) + &flow("alice", "guarda", "")
    };
    let mistakes = check(WITH_MANY, &chain("")).unwrap_err().to_string();
    let expected = "`bob` can influence `alice`: `bob` influences `guarda` by the flow from `bob` to `guarda`, `guarda` \
                    influences `alice` by the flow from `alice` to `guarda`;";
    assert!(mistakes.contains(expected), "{mistakes}");
    // Whoever receives by a one-way flow has no influence on its sender. But its sender has, on it.
    let mistakes = check(WITH_MANY, &chain(ONE_WAY)).unwrap_err().to_string();
    assert!(mistakes.contains("`bob` can influence `alice`"), "{mistakes}");
    let ends_there =
        flow("alice", "bob", ONE_WAY) + &flow("bob", "guarda", "") + &flow("alice", "guarda", ONE_WAY);
    check(WITH_MANY, &ends_there).unwrap();
}

#[test]
fn a_guard_of_two_flows_leads_back() {
    let flows = flow("alice", "bob", ONE_WAY)
        + &flow("bob", "guardb", "guards = [\"guarda\"]")
        + &flow("alice", "guardc", "guards = [\"guarda\"]");
    let mistakes = check(WITH_MANY, &flows).unwrap_err().to_string();
    assert!(mistakes.contains("`bob` influences `guarda` by the flow from `bob` to `guardb`"), "{mistakes}");
}
