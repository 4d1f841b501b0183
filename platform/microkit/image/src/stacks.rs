//! The page below each stack, on which an overflow faults. Microkit leaves it free, but lets a description
//! map a region that ends where the stack ends; then an overflow would write to the region.

use microkit_tool::sdf::SystemDescription;

use crate::error::Error;
use crate::specification::Specification;
use crate::tables::{self, SMALL_BITS};

/// Refuses a system in which a domain's stack has something mapped below it.
pub(crate) fn check(specification: &Specification<'_>, system: &SystemDescription) -> Result<(), Error> {
    for domain in &system.protection_domains {
        let bottom = specification.kernel.pd_stack_bottom(domain.stack_size);
        if tables::is_mapped(specification, &domain.name, bottom - (1 << SMALL_BITS))? {
            return Err(Error::NoGuardPage { domain: domain.name.clone(), bottom });
        }
    }
    Ok(())
}
