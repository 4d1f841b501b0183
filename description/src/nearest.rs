//! "Did you mean": finds the name that a misspelt one probably stands for.

/// The name among `known` that is spelt most like `name`, if one is spelt so much alike that it is probably
/// meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // One letter of three may be wrong. If half of a short word differs, that is chance.
    const ALIKE: f64 = 0.6;
    let alike = known.into_iter().map(|known| (strsim::normalized_damerau_levenshtein(name, known), known));
    let best = alike.filter(|(likeness, _)| *likeness >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelt_name_is_recognised() {
        let known = ["protection_domain", "memory_region", "channel", "domains"];
        assert_eq!(nearest("protection_domian", known).as_deref(), Some("protection_domain"));
        assert_eq!(nearest("chanel", known).as_deref(), Some("channel"));
        assert_eq!(nearest("wormhole", known), None);
        assert_eq!(nearest("", known), None);
    }
}
