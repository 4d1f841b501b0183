//! When a protection domain that has faulted is started again. It is started again as often as the system
//! description allows, and no more: a fault that comes after every restart is a defect that no restart mends.
//! How a domain is started is up to each platform.

/// How often a protection domain may be started again, and how often it has been.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restarts {
    limit: u8,
    done: u8,
}

/// What becomes of a protection domain that has faulted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is started again. The number is that of this restart; the first is 1.
    Again(u8),
    /// It was started again as often as the description allows, and stays stopped.
    GivenUp,
    /// The description allows no restart, so it stays stopped.
    Stays,
}

impl Restarts {
    /// For a domain that may be started again `limit` times.
    #[must_use]
    pub const fn new(limit: u8) -> Self {
        Self { limit, done: 0 }
    }

    /// Says what becomes of the domain, which has just faulted. The caller must do what the answer says,
    /// because the restart is counted already.
    #[must_use]
    pub const fn after_fault(&mut self) -> Outcome {
        if self.limit == 0 {
            return Outcome::Stays;
        }
        if self.done == self.limit {
            return Outcome::GivenUp;
        }
        self.done += 1;
        Outcome::Again(self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Restarts};

    #[test]
    fn a_domain_is_started_again_as_often_as_it_may_be() {
        let mut restarts = Restarts::new(2);
        let outcomes = [(); 4].map(|()| restarts.after_fault());
        assert_eq!(outcomes, [Outcome::Again(1), Outcome::Again(2), Outcome::GivenUp, Outcome::GivenUp]);
    }

    #[test]
    fn a_domain_without_restarts_stays_stopped_and_is_not_given_up() {
        assert_eq!(Restarts::new(0).after_fault(), Outcome::Stays);
    }

    #[test]
    fn the_count_does_not_wrap() {
        let mut restarts = Restarts::new(u8::MAX);
        let again = (0..300).filter(|_| matches!(restarts.after_fault(), Outcome::Again(_))).count();
        assert_eq!(again, 255);
    }
}
