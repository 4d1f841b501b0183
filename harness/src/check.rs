//! The check of a script. If it fails, it names what was expected, and the line.

/// Ends the script with a failure unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $what:literal) => {
        if !$condition {
            return Err($crate::actor::Clue::new($what));
        }
    };
}
pub(crate) use ensure;
