//! The graph itself: the steps, and the search for what can be reached by them.

use super::step::{Node, Step};
use std::collections::{HashMap, HashSet, VecDeque};

/// All steps, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    steps: Vec<Step>,
    /// For each node, the numbers of the steps that begin there.
    onward: HashMap<Node, Vec<usize>>,
}

/// Whether the search goes on at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// It goes on.
    Pass,
    /// The node is reached, and the search does not go past it.
    End,
    /// The node is as if it were not there.
    Closed,
}

impl Graph {
    pub(crate) fn add(&mut self, step: Step) {
        self.onward.entry(step.from).or_default().push(self.steps.len());
        self.steps.push(step);
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Everything that can be reached from `from`, the nearest first, each with a shortest path to it.
    pub(crate) fn reached(&self, from: Node, at: &dyn Fn(Node) -> At) -> Vec<(Node, Vec<&Step>)> {
        let mut seen = HashSet::from([from]);
        let mut waiting = VecDeque::from([(from, Vec::new())]);
        let mut reached = Vec::new();
        while let Some((node, path)) = waiting.pop_front() {
            for number in self.onward.get(&node).into_iter().flatten() {
                let step = &self.steps[*number];
                let how = at(step.to);
                if how == At::Closed || !seen.insert(step.to) {
                    continue;
                }
                let mut path: Vec<&Step> = path.clone();
                path.push(step);
                reached.push((step.to, path.clone()));
                if how == At::Pass {
                    waiting.push_back((step.to, path));
                }
            }
        }
        reached
    }
}
