//! What a guard does in these tests: it answers by a message's tag, as far as the scenario lets it, and posts
//! a buffer again when its answer has come to its end.

use std::collections::{BTreeMap, VecDeque};

use ferry_client::{Inspection, Port, ReceiveBuffer, Status};
use ferry_testbed::Silent;

use super::message::{is_refused_by, is_silent, length_of, payload};
use super::watch::Watch;

/// Any number of times.
pub(crate) const ALWAYS: u32 = u32::MAX;

/// One guard. It answers and posts only as often as it is told to.
#[derive(Default)]
pub(crate) struct Guard {
    number: u16,
    answers: u32,
    posts: u32,
    /// It answers what it should be silent about, too.
    says_all: bool,
    open: VecDeque<Inspection>,
    /// What it has answered, by ticket. The buffers are not its own yet.
    answered: BTreeMap<u64, Inspection>,
}

impl Guard {
    pub(crate) fn new(number: u16) -> Self {
        Self { number, ..Self::default() }
    }

    /// Lets it answer and post so many more times.
    pub(crate) const fn allow(&mut self, answers: u32, posts: u32) {
        self.answers = self.answers.saturating_add(answers);
        self.posts = self.posts.saturating_add(posts);
    }

    /// Lets it say something about the messages that it was silent about.
    pub(crate) const fn speak(&mut self) {
        self.says_all = true;
    }

    /// Whether it has nothing to answer, and everything that it has answered has ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.answered.is_empty()
    }

    /// Takes what has arrived, and does what it may do.
    pub(crate) fn look(&mut self, port: &mut Port<Silent>, free: &mut Vec<ReceiveBuffer>, watch: &mut Watch) {
        while let Some(ended) = port.reap() {
            assert!(matches!(ended.status, Status::Done | Status::NoInspection), "{ended:?}");
            let inspection = self.answered.remove(&ended.tag).expect("an answer ends once");
            check(&inspection);
            watch.given_back(self.number, ended.tag);
            free.push(inspection.buffer);
        }
        while let Some(inspection) = port.inspect() {
            check(&inspection);
            self.open.push_back(inspection);
        }
        for inspection in std::mem::take(&mut self.open) {
            let Inspection { tag, ticket, .. } = inspection;
            let is_silent = is_silent(tag, self.number) && !self.says_all;
            if self.answers == 0 || is_silent {
                self.open.push_back(inspection);
                continue;
            }
            self.answers -= u32::from(self.answers != ALWAYS);
            let passes = !is_refused_by(tag, self.number);
            watch.said(self.number, ticket, passes);
            port.answer(ticket, passes, self.number.into()).expect("a slot for the answer");
            self.answered.insert(ticket, inspection);
        }
        while self.posts != 0
            && let Some(buffer) = free.pop()
        {
            self.posts -= u32::from(self.posts != ALWAYS);
            port.post(buffer, None).expect("a slot to post in");
        }
    }
}

/// The bytes under inspection are those that were sent, until the guard posts the buffer again.
fn check(Inspection { tag, ticket, buffer, length, .. }: &Inspection) {
    let length = *length as usize;
    assert_eq!(length, length_of(*tag), "the whole message");
    assert!(buffer.bytes()[..length] == payload(*tag, length), "inspection {ticket:#x} is overwritten");
}
