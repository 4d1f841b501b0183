//! Rules about files that fill regions. Microkit's tool fills every page of a region from its file, so the
//! file must reach into the last page, and not beyond.

use crate::mistake::Mistake;
use crate::problem::Problem;
use crate::system::System;

/// Checks the size of each file against the size of its region.
pub(super) fn check(system: &System, mistakes: &mut Vec<Mistake>) {
    for (number, region) in system.regions.iter().enumerate() {
        // An empty file has been reported.
        if region.prefill.is_none() || region.prefill_bytes == 0 {
            continue;
        }
        let (file, bytes, page) = (region.prefill_bytes, region.bytes, system.page_bytes(number));
        let fitting = file.checked_next_multiple_of(page).unwrap_or(u64::MAX);
        let name = region.name.clone();
        let problem = if file > bytes {
            Problem::PrefillTooLong { region: name, file, bytes, page: fitting }
        } else if bytes - file >= page {
            Problem::PrefillTooShort { region: name, file, page: fitting }
        } else {
            continue;
        };
        mistakes.push(Mistake { place: region.place.clone(), problem });
    }
}
