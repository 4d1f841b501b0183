//! Tests how often a protection domain is started again: as `flows.toml` says, and by default.

use ferry_description::{Description, Mistakes, Source};

fn check(restarts: &str) -> Result<Description, Mistakes> {
    let flows = format!("{}\n{restarts}", include_str!("fixtures/valid/flows.toml"));
    let system = Source::new("system.xml", include_str!("fixtures/valid/system.xml").to_owned());
    Description::check(&system, &Source::new("flows.toml", flows), &[])
}

fn restarts_of(description: &Description, name: &str) -> u8 {
    let domain = description.system.domains.iter().position(|domain| domain.name == name).unwrap();
    description.restarts[domain]
}

#[test]
fn central_is_started_again_and_others_are_not() {
    let description = check("").unwrap();
    assert_eq!((restarts_of(&description, "central"), restarts_of(&description, "alice")), (3, 0));
}

#[test]
fn a_number_that_is_stated_holds() {
    let description = check("[restarts]\ncentral = 0\nalice = 7").unwrap();
    assert_eq!((restarts_of(&description, "central"), restarts_of(&description, "alice")), (0, 7));
    assert_eq!(restarts_of(&description, "bob"), 0);
}

#[test]
fn a_domain_that_does_not_exist_is_a_mistake() {
    let mistakes = check("[restarts]\ncarol = 1").unwrap_err();
    assert!(mistakes.to_string().contains("`carol` is named here, but there is no such protection domain"));
}
