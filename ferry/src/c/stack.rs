//! Whether the stack of a client in C is large enough for the client library.

use crate::c::{CError, REGION};
use ferry_description::Domain;

/// What a client in C needs at least: twice what the library was seen to put on the stack. When the client
/// starts, its buffers are listed there (12 KiB on AArch64), and when central lets it in, the port is made
/// there before it is moved to its place (14 KiB). The other half is the program's.
const LEAST_STACK: u64 = 0x8000;

/// Refuses a domain of a program in C that is a client and has a smaller stack. It would fault when central
/// lets it in, or a little later.
pub(crate) fn check_stack(domain: &Domain) -> Result<(), CError> {
    let is_client = domain.maps.iter().any(|map| map.setvar_address.as_deref() == Some(REGION));
    if !is_client || domain.stack_bytes >= LEAST_STACK {
        return Ok(());
    }
    let (place, program) = (domain.place.to_string(), domain.program.clone());
    Err(CError::SmallStack { place, program, found: domain.stack_bytes })
}

#[cfg(test)]
mod tests {
    use super::check_stack;
    use ferry_description::{Description, Source};

    #[test]
    fn a_client_in_c_with_the_stack_of_microkit_is_refused() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench"));
        let read = |name: &str| Source::read(&root.join(name)).unwrap();
        let check = |stack: &str| {
            let text = read("system.xml").text().replace(" stack_size=\"0x10_000\"", stack);
            let source = Source::new("system.xml", text);
            let description = Description::check(&source, &read("flows-keep.toml"), &[]);
            let description = description.map_err(|mistakes| mistakes.render(false)).unwrap();
            let producer = description.system.domains.iter().find(|domain| domain.name == "producer");
            check_stack(producer.unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(check(" stack_size=\"0x8000\""), Ok(()));
        let refused = check("").unwrap_err();
        assert!(
            refused.starts_with("system.xml:") && refused.contains("stack_size=\"0x1_0000\""),
            "{refused}"
        );
        assert!(check(" stack_size=\"0x7000\"").unwrap_err().contains("28672"));
    }

    #[test]
    fn what_is_no_client_may_have_any_stack() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/microkit"));
        let read = |name: &str| Source::read(&root.join(name)).unwrap();
        let description = Description::check(&read("greenhouse.system"), &read("flows.toml"), &[]);
        let description = description.map_err(|mistakes| mistakes.render(false)).unwrap();
        let heater = description.system.domains.iter().find(|domain| domain.name == "heater").unwrap();
        assert!(heater.stack_bytes < super::LEAST_STACK);
        assert!(check_stack(heater).is_ok());
    }
}
