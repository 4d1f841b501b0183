//! Figures that others measured and that Ferry's are held against: sDDF's copy component, and the floor below
//! it (two notifications and a straight copy), on the SDK and board of the carrier `qemu_virt_aarch64`, with
//! producer and consumer included. sDDF keeps everything mapped, so they stand beside the policy `keep`.

use crate::carrier::Carrier;

/// The carrier beside which they stand.
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
