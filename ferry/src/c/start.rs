//! Whether the program of a client starts a client at all. A program that forgets that is linked without the
//! symbols of a client, because the linker leaves out what nothing calls.

use crate::c::{CError, REGION};
use crate::search::Search;
use ferry_description::Domain;
use object::{Object, ObjectSymbol};

/// The function of the C library that `ferry_init` calls.
pub(crate) const START: &str = "ferry_start";

/// Refuses a program that does not define `symbol`, if the description makes its domain a client. What cannot
/// be read is left to those who load it.
pub(crate) fn check_start(domain: &Domain, programs: &Search, symbol: &str) -> Result<(), CError> {
    if !domain.maps.iter().any(|map| map.setvar_address.as_deref() == Some(REGION)) {
        return Ok(());
    }
    let Ok(contents) = programs.read(domain) else { return Ok(()) };
    let Ok(program) = object::File::parse(contents.as_slice()) else { return Ok(()) };
    if program.symbols().any(|found| found.is_definition() && found.name() == Ok(symbol)) {
        return Ok(());
    }
    Err(CError::NeverStarts { place: domain.place.to_string(), program: domain.program.clone() })
}
