//! Published figures to compare Ferry with: those of sDDF's copy component, and of the floor below it (two
//! notifications and a plain copy). They were measured on the SDK and the board of the carrier
//! `qemu_virt_aarch64`, and include producer and consumer. sDDF keeps everything mapped, so the figures stand
//! beside the policy `keep`.

use crate::carrier::Carrier;

/// The carrier that the figures are compared with.
pub const BESIDE: &str = "qemu_virt_aarch64";

const FIGURES: &str = include_str!("../reference.json");

/// The figures as carriers.
pub fn carriers() -> Result<Vec<Carrier>, serde_json::Error> {
    serde_json::from_str(FIGURES)
}

#[cfg(test)]
mod tests {
    use crate::case::{Case, Policy};

    #[test]
    fn the_figures_are_carriers() {
        let carriers = super::carriers().unwrap();
        let row = carriers[0].row(Case::pair(64, 32, Policy::Keep)).unwrap();
        assert_eq!(
            (carriers[0].name.as_str(), row.instructions, row.central),
            ("sDDF", Some(271.0), Some(109.0))
        );
    }
}
