//! Names of clients: which a new one may have, and which client a name on the command line means.

use super::error::EditError;
use ferry_description::{CENTRAL, Draft, TICKER, nearest};
use ferry_layout::geometry::MAX_NAME;

/// Names that others have, and who these are. Cargo keeps directories of these names beside the programs.
const RESERVED: [(&str, &str); 8] = [
    (CENTRAL, "Ferry"),
    (TICKER, "Ferry"),
    ("ferry_supervisor", "Ferry's supervisor"),
    ("monitor", "Microkit's monitor"),
    ("build", "Cargo"),
    ("deps", "Cargo"),
    ("examples", "Cargo"),
    ("incremental", "Cargo"),
];

/// Refuses what cannot name a new client. No region has the name of one of its regions: in a draft, each that
/// is called so belongs to a client.
pub(super) fn check_new(name: &str, draft: &Draft) -> Result<(), EditError> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if !begins || !name.chars().all(is_allowed) || name.len() > MAX_NAME {
        return Err(EditError::BadName { name: name.into() });
    }
    if let Some((_, owner)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        return Err(EditError::ReservedName { name: name.into(), owner });
    }
    let system = draft.system();
    if let Some(domain) = system.domain(name) {
        let place = system.domains[domain].place.to_string();
        return Err(EditError::DomainExists { name: name.into(), place });
    }
    Ok(())
}

/// Number of the client of this name.
pub(super) fn client(name: &str, draft: &Draft) -> Result<usize, EditError> {
    let names = || draft.clients().iter().map(|client| client.name.as_str());
    if let Some(number) = names().position(|client| client == name) {
        return Ok(number);
    }
    if draft.system().domain(name).is_some() {
        return Err(EditError::NotAClient { name: name.into() });
    }
    let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
    let (meant, known) = (nearest(name, names()), known.join(", "));
    Err(EditError::UnknownClient { name: name.into(), meant, known })
}
