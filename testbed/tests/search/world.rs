//! The real engine between the clients of [`Scene`]: what can be done next, and doing it.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use ferry_central::ClientSet;
use ferry_layout::observe::{Access, AccessKind, set_hook};
use ferry_testbed::{Base, Snapshot, Testbed, id};

use crate::scene::{RECEIVER, Scene, Scope, State, Step, topology};

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// A client acts while central rests or is down.
    Client(Step),
    /// Central runs until it rests. If it is down, a new central starts.
    Run { tick: bool },
    /// The same, and a client acts at this moment of the run.
    RunAmid { tick: bool, moment: usize, step: Step },
    /// The same, and central is stopped at this moment.
    RunUntil { tick: bool, moment: usize },
}

impl Act {
    /// Acts that this counts as.
    pub(crate) const fn cost(self) -> u32 {
        match self {
            Self::Client(_) | Self::Run { .. } | Self::RunUntil { .. } => 1,
            Self::RunAmid { .. } => 2,
        }
    }
}

/// The moments of a run at which something else can happen. A moment is an access to shared memory or a call
/// of the machine; they are counted.
#[derive(Default)]
struct Moments {
    passed: usize,
    /// Where central can be stopped so that it makes a difference: after stores and calls.
    stops: Vec<usize>,
    /// Where a client can act so that it makes a difference.
    openings: Vec<(usize, Step)>,
}

/// What central's run shares with the hooks in it.
struct Shared {
    scene: Scene,
    moments: Moments,
    /// What happens in this run besides.
    beside: Option<Act>,
}

/// The panic payload that unwinds central.
struct Stopped;

/// The system.
pub(crate) struct World {
    bed: Testbed,
    base: Base,
    shared: Rc<RefCell<Shared>>,
    is_down: bool,
}

/// A state of the system.
#[derive(Clone)]
pub(crate) struct Saved {
    bed: Snapshot,
    state: State,
    is_down: bool,
}

impl World {
    /// A system in which all clients live in their first epoch.
    pub(crate) fn new(scope: &'static Scope) -> Self {
        let bed = Testbed::new(&topology(scope));
        let memory = bed.clients.clone();
        let shared = Shared { scene: Scene::new(scope, memory), moments: Moments::default(), beside: None };
        let (base, shared) = (Base::new(&bed), Rc::new(RefCell::new(shared)));
        let mut world = Self { bed, base, shared, is_down: false };
        world.bed.machine.records = false;
        for client in 0..scope.clients() {
            world.scene(|scene| scene.come_back(client));
        }
        world.run(false, None);
        world
    }

    fn scene<T>(&self, part: impl FnOnce(&mut Scene) -> T) -> T {
        part(&mut self.shared.borrow_mut().scene)
    }

    /// Everything that can happen now. Runs central once to find out, so the state has to be loaded again.
    pub(crate) fn acts(&mut self) -> Vec<Act> {
        let (steps, is_signalled, done, most) = self.scene(|scene| {
            let is_signalled = scene.state.pending.contains(&true);
            (scene.steps(), is_signalled, scene.state.done, scene.scope.most)
        });
        let mut acts: Vec<Act> = steps.into_iter().map(Act::Client).collect();
        let tick = !self.is_down && !is_signalled;
        if tick && done.ticks >= most.ticks {
            return acts;
        }
        // A tick that comes with a signal is no other run than the two one after the other.
        acts.push(Act::Run { tick });
        self.run(tick, None);
        let moments = core::mem::take(&mut self.shared.borrow_mut().moments);
        if done.stops < most.stops {
            acts.extend(moments.stops.into_iter().map(|moment| Act::RunUntil { tick, moment }));
        }
        if done.amid < most.amid {
            let openings = moments.openings.into_iter();
            acts.extend(openings.map(|(moment, step)| Act::RunAmid { tick, moment, step }));
        }
        acts
    }

    pub(crate) fn act(&mut self, act: Act) {
        match act {
            Act::Client(step) => {
                self.scene(|scene| scene.step(step));
                if !self.is_down {
                    // Central goes on resting, unless it is signalled.
                    self.scene(|scene| scene.rests());
                }
            }
            Act::Run { tick } | Act::RunAmid { tick, .. } | Act::RunUntil { tick, .. } => {
                self.run(tick, Some(act));
            }
        }
    }

    /// Runs central, or starts a new one.
    fn run(&mut self, tick: bool, beside: Option<Act>) {
        let woken = self.begin_run(tick, beside);
        let shared = self.shared.clone();
        set_hook(Some(Box::new(move |access| {
            // It is borrowed if the watch itself looks, in the interposer below.
            if let Ok(mut shared) = shared.try_borrow_mut() {
                shared.accessed(access);
            }
        })));
        let shared = self.shared.clone();
        self.bed.machine.interposer = Some(Box::new(move |action| {
            let mut shared = shared.borrow_mut();
            shared.scene.acted(action);
            shared.pass(true);
        }));
        let (bed, is_down) = (&mut self.bed, self.is_down);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            if is_down {
                bed.restart();
                bed.run();
            } else {
                bed.engine.run(&mut bed.machine, woken, tick);
            }
        }));
        set_hook(None);
        self.bed.machine.interposer = None;
        match ended {
            Ok(()) => {
                self.is_down = false;
                self.scene(|scene| scene.rests());
            }
            Err(reason) if reason.is::<Stopped>() => {
                self.is_down = true;
                self.bed.stop();
                self.scene(|scene| scene.state.watch.stopped());
            }
            Err(reason) => resume_unwind(reason),
        }
    }

    /// Notes that a run begins. Returns the clients that have signalled.
    fn begin_run(&mut self, tick: bool, beside: Option<Act>) -> ClientSet {
        let shared = &mut *self.shared.borrow_mut();
        shared.moments = Moments::default();
        shared.beside = beside;
        let state = &mut shared.scene.state;
        match beside {
            Some(Act::RunAmid { .. }) => state.done.amid += 1,
            Some(Act::RunUntil { .. }) => state.done.stops += 1,
            _ => {}
        }
        if tick {
            state.done.ticks += 1;
            state.watch.tick();
        }
        let mut woken = ClientSet::EMPTY;
        for (client, pending) in (0..).zip(&mut state.pending) {
            if core::mem::take(pending) {
                woken.insert(id(client));
            }
        }
        woken
    }

    /// Lets everything go on, and demands that every send comes to its end, and that no request is lost.
    pub(crate) fn close(&mut self) {
        let rounds = if self.scene(|scene| scene.scope.stages.is_empty()) { 4 } else { 10 };
        for round in 0..rounds {
            self.scene(|scene| {
                for client in scene.clients().filter(|client| !scene.is_present(*client)).collect::<Vec<_>>()
                {
                    scene.come_back(client);
                }
            });
            self.run(false, None);
            self.scene(|scene| {
                if scene.epoch(RECEIVER).is_some() {
                    scene.take();
                    for _ in 0..scene.scope.places {
                        scene.post(None);
                    }
                }
                scene.guards_go_on();
            });
            // The first run may have been woken by nobody, and what was posted may not have been signalled.
            self.run(round + 1 == rounds, None);
        }
        self.scene(|scene| {
            scene.all_ended();
            scene.withdraw_all();
        });
        self.run(false, None);
    }

    pub(crate) fn save(&self) -> Saved {
        let state = self.scene(|scene| scene.state.clone());
        let mut saved = Saved { bed: Snapshot::default(), state, is_down: self.is_down };
        self.base.save(&self.bed, &mut saved.bed);
        saved
    }

    pub(crate) fn save_to(&self, saved: &mut Saved) {
        self.base.save(&self.bed, &mut saved.bed);
        self.scene(|scene| saved.state.clone_from(&scene.state));
        saved.is_down = self.is_down;
    }

    /// Brings a state back. `now` is the state as it is now.
    pub(crate) fn load(&mut self, now: &Saved, saved: &Saved) {
        self.base.load(&mut self.bed, &now.bed, &saved.bed);
        self.is_down = saved.is_down;
        self.scene(|scene| scene.load(&saved.state));
    }
}

impl Saved {
    /// A number for this state. It covers every byte of the engine, the pages and the buffers, all that the
    /// clients know, and all that the watch knows. So states with the same number go on equally and are
    /// judged equally, unless two different ones have the same number by chance.
    pub(crate) fn number(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.bed.hash(&mut hasher);
        self.state.hash(&mut hasher);
        self.is_down.hash(&mut hasher);
        hasher.finish()
    }
}

impl Shared {
    fn accessed(&mut self, access: Access) {
        let stored = access.kind == AccessKind::Store;
        if stored {
            self.scene.stored(access);
        }
        if self.beside.is_none() {
            let meeting = self.scene.steps().into_iter().filter(|step| self.scene.meets(*step, access));
            let moment = self.moments.passed;
            self.moments.openings.extend(meeting.map(|step| (moment, step)));
        }
        self.pass(stored);
    }

    /// A moment passes. `counts` means that a restart of central can tell it from the one before.
    fn pass(&mut self, counts: bool) {
        let now = self.moments.passed;
        self.moments.passed += 1;
        if counts {
            self.moments.stops.push(now);
        }
        match self.beside {
            Some(Act::RunAmid { moment, step, .. }) if moment == now => self.scene.step(step),
            Some(Act::RunUntil { moment, .. }) if moment == now => resume_unwind(Box::new(Stopped)),
            _ => {}
        }
    }
}
