//! Checks of a script: a failed one names what was expected, and where.

/// Ends the script with a failure unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $what:literal) => {
        if !$condition {
            return Err($crate::actor::Clue { what: $what, line: line!() });
        }
    };
}
pub(crate) use ensure;
