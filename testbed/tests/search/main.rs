//! Small scopes, exhaustively: every order of the acts of two senders, one receiver, in some scopes two
//! guards, and central, restarts of all of them included, up to a number of acts. The engine is the real one.
//!
//! The search goes back to a state by a snapshot, and does not go on from a state that it has seen. A state
//! is known by a hash of everything that its future and its verdicts depend on (`Saved::number`), so leaving
//! out what was seen hides nothing. Client code and checks are in `scene.rs`, `watch.rs` and `guards.rs`.
//!
//! `cargo test` searches a few acts deep. `make small-scope` goes as deep as docs/model-checking.md says.

mod guards;
mod scene;
mod scopes;
mod watch;
mod world;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ferry_layout::config::Mapping;
use ferry_testbed::{Base, Snapshot, Testbed, Topology};
use scene::Scope;
use world::{Act, Saved, World};

/// A search that is under way.
struct Search {
    world: World,
    /// The state as it is now, whenever one is loaded.
    now: Saved,
    /// The states on the way to the current one, by the number of acts. They are used again and again.
    way: Vec<Saved>,
    acts: Vec<Act>,
    /// The states seen, with the number of acts that were left there.
    seen: HashMap<u64, u32>,
    transitions: u64,
}

impl Search {
    /// Searches everything within `depth` acts.
    fn run(scope: &'static Scope, depth: u32) {
        let begun = Instant::now();
        let world = World::new(scope);
        let now = world.save();
        let (way, acts, seen) = (Vec::new(), Vec::new(), HashMap::new());
        let mut search = Self { world, now, way, acts, seen, transitions: 0 };
        let found = catch_unwind(AssertUnwindSafe(|| search.visit(depth)));
        let (states, transitions) = (search.seen.len(), search.transitions);
        let name = scope.name;
        assert!(found.is_ok(), "{name}: wrong after {:?}, the last of {states} states", search.acts);
        println!("{name}: {depth} acts, {states} states, {transitions} transitions, {:.0?}", begun.elapsed());
        assert!(states > 100, "the search goes somewhere");
    }

    /// Goes on from the current state with `left` acts.
    fn visit(&mut self, left: u32) {
        self.world.save_to(&mut self.now);
        let seen = self.seen.entry(self.now.number()).or_default();
        if *seen > left {
            return;
        }
        // One more than the acts left, so that 0 stands for none seen.
        *seen = left + 1;
        let level = self.acts.len();
        match self.way.get_mut(level) {
            Some(saved) => saved.clone_from(&self.now),
            None => self.way.push(self.now.clone()),
        }
        if left == 0 {
            self.world.close();
            self.world.save_to(&mut self.now);
        } else {
            self.go_on(level, left);
        }
    }

    /// Tries everything that can be next, with `left` acts, from the state at this level of the way.
    fn go_on(&mut self, level: usize, left: u32) {
        let acts = self.world.acts();
        self.world.save_to(&mut self.now);
        for act in acts {
            if act.cost() <= left {
                self.world.load(&self.now, &self.way[level]);
                self.transitions += 1;
                self.acts.push(act);
                self.world.act(act);
                self.visit(left - act.cost());
                self.acts.pop();
            }
        }
    }
}

/// Declares the two tests of a scope.
macro_rules! scope {
    ($name:ident, $scope:expr) => {
        mod $name {
            #[test]
            fn within_few_acts() {
                crate::Search::run($scope, $scope.few);
            }

            #[test]
            #[ignore = "minutes; `make small-scope`"]
            fn within_many_acts() {
                crate::Search::run($scope, $scope.many);
            }
        }
    };
}

scope!(nobody_restarts, &crate::scopes::CALM);
scope!(clients_act_while_central_runs, &crate::scopes::AMID);
scope!(clients_restart, &crate::scopes::LIVES);
scope!(central_restarts, &crate::scopes::STOPS);
scope!(everything_restarts, &crate::scopes::ALL);
scope!(long_messages, &crate::scopes::LONG);
scope!(central_restarts_in_long_messages, &crate::scopes::LONG_STOPS);
scope!(guards_in_a_chain, &crate::scopes::GUARDS_CHAIN);
scope!(guards_in_a_quorum, &crate::scopes::GUARDS_QUORUM);
scope!(guards_act_while_central_runs, &crate::scopes::GUARDS_BOTH);
scope!(guards_restart, &crate::scopes::GUARDS_LIVES);
scope!(central_restarts_between_guards, &crate::scopes::GUARDS_STOPS);
scope!(guards_and_central_restart, &crate::scopes::GUARDS_ALL);

#[test]
fn a_state_comes_back_with_every_byte() {
    let mut bed = Testbed::new(&Topology::mesh(2, 2, Mapping::Each));
    let base = Base::new(&bed);
    let (mut before, mut after, mut again) = (Snapshot::default(), Snapshot::default(), Snapshot::default());
    let _first = bed.open(0);
    base.save(&bed, &mut before);
    let _second = bed.open(1);
    bed.clients[1].transmit.write(5000, b"bytes");
    base.save(&bed, &mut after);
    assert!(before != Snapshot::default() && before != after);
    base.load(&mut bed, &after, &before);
    base.save(&bed, &mut again);
    assert!(again == before);
    base.load(&mut bed, &before, &after);
    base.save(&bed, &mut again);
    assert!(again == after);
}
