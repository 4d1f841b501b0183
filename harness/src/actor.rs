//! An actor: a client whose script decides every word that it writes, whether it keeps to the protocol or
//! not.
//!
//! It does not use the client library, because half of the scenarios do what the library exists to prevent.
//! Scripts about the library open a real port by [`Actor::port`].

use core::fmt::Arguments;
use core::panic::Location;

use ferry_client::{Doorbell, Port, ReceiveMemory, Regions, TransmitMemory};
use ferry_layout::{
    Address, Delivery, DeliveryKind, Descriptor, InRegion, Kind, OutRegion, Post, PostKind, Standing, Status,
};

use crate::memory::Buffer;
use crate::rights::{Holdings, Overreach};
use crate::role::Role;
use crate::stamp::Stamp;

/// What an actor does. An error ends the scenario.
pub type Script = fn(&mut Actor<'_>) -> Result<(), Clue>;

/// What mallory does when it is woken. The number counts its strikes, from 0 when mallory has been let in.
/// `Ok(true)` means that this was the last strike, because everything that had to happen was seen. An error
/// ends the scenario.
pub type Strike = fn(&mut Actor<'_>, u32) -> Result<bool, Clue>;

/// Why a script failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clue {
    /// What was expected.
    pub what: &'static str,
    /// Line of the check, in the scenario's file.
    pub line: u32,
}

impl Clue {
    /// Something was not as expected at the line of the caller.
    #[must_use]
    #[track_caller]
    pub fn new(what: &'static str) -> Self {
        Self { what, line: Location::caller().line() }
    }
}

/// What an actor needs from the platform.
pub trait Stage {
    /// Prints one line.
    fn print(&self, line: Arguments<'_>);
    /// Signals central.
    fn ring(&self);
    /// Lets others run.
    fn pause(&self);
    /// The regions of this client for the client library.
    fn regions(&self) -> Option<Regions>;
    /// Walks over the whole `CSpace` of this client.
    fn holdings(&self) -> Holdings;
    /// Number of address spaces that the platform gives a client: 1 where each client holds its own.
    fn address_spaces(&self) -> u32;
    /// Tries something that must fault. It returns only if there is no fault.
    fn overreach(&self, how: Overreach);
    /// Microseconds on the machine's clock. 0 if the platform does not offer
    /// [`Feature::Clock`](crate::Feature::Clock).
    fn clock(&self) -> u64;
    /// The top of this client's stack, which grows down. `None` if the platform does not make the stack as
    /// large as the description says.
    fn stack_top(&self) -> Option<usize>;
}

/// A doorbell that signals central through the stage.
#[derive(Clone, Copy)]
pub struct Bell<'a>(&'a dyn Stage);

impl Doorbell for Bell<'_> {
    fn ring(&mut self) {
        self.0.ring();
    }
}

/// A client that plays a role.
pub struct Actor<'a> {
    /// The client's own pages.
    pub from_client: &'static OutRegion,
    /// Central's pages for it.
    pub to_client: &'static InRegion,
    /// Its transmit buffer.
    pub tx: Buffer,
    /// Its receive buffer.
    pub rx: Buffer,
    /// `out` again, as raw bytes.
    pub raw_out: Buffer,
    /// What a strike keeps for the next one. Zero at first.
    pub notes: [u32; 4],
    stage: &'a dyn Stage,
    /// Index of the next descriptor, request, and delivery.
    sends: u32,
    posts: u32,
    taken: u32,
    /// One bit for each slot of the request ring. It is set while no delivery has used up, taken back or
    /// refused the request in the slot.
    held: u128,
}

/// Number of slots of each ring.
const RING: u32 = 128;

/// Number of pauses after which a wait is given up. The host has a shorter time limit; this bound makes the
/// failure a message.
const PATIENCE: u32 = 12_000_000;

/// The bit of a slot.
const fn bit(index: u32) -> u128 {
    1 << (index % RING)
}

/// Tag of the message by which a role tells the umpire that it has passed.
const TAG_PASSED: u64 = u64::from_le_bytes(*b"PASSED\0\0");

impl<'a> Actor<'a> {
    /// An actor that central has not let in yet.
    #[must_use]
    pub fn new(
        from_client: &'static OutRegion,
        to_client: &'static InRegion,
        tx: Buffer,
        rx: Buffer,
        raw_out: Buffer,
        stage: &'a dyn Stage,
    ) -> Self {
        Self {
            from_client,
            to_client,
            tx,
            rx,
            raw_out,
            notes: [0; 4],
            stage,
            sends: 0,
            posts: 0,
            taken: 0,
            held: 0,
        }
    }

    /// Stamps every frame of both buffers, then asks central for the next epoch and waits until it has begun.
    pub fn open(&mut self) -> Result<(), Clue> {
        self.stamp();
        self.restart()
    }

    /// Stamps every frame of both buffers.
    pub fn stamp(&self) {
        for (buffer, receive) in [(self.tx, false), (self.rx, true)] {
            for frame in 0..u32::try_from(buffer.bytes() / 4096).unwrap_or(0) {
                let stamp = Stamp { client: self.role().number(), receive, frame };
                buffer.write(frame as usize * 4096 + Stamp::OFFSET, &stamp.word().to_le_bytes());
            }
        }
    }

    /// Asks for a new epoch, with all indices at 0, and waits until it has begun.
    #[track_caller]
    pub fn restart(&mut self) -> Result<(), Clue> {
        let epoch = self.enter();
        self.wait(|actor| actor.to_client.epoch.observe() == epoch)
    }

    /// Asks for a new epoch, with all indices at 0. Returns the number of the epoch.
    pub fn enter(&mut self) -> u32 {
        (self.sends, self.posts, self.taken, self.held) = (0, 0, 0, 0);
        self.from_client.reset();
        let epoch = self.to_client.epoch.observe().wrapping_add(1);
        self.from_client.ask_for_epoch(epoch);
        self.stage.ring();
        epoch
    }

    /// Opens a port of the client library, in a new epoch.
    #[track_caller]
    pub fn port(&mut self) -> Result<(Port<Bell<'a>>, TransmitMemory, ReceiveMemory), Clue> {
        let Some(regions) = self.stage.regions() else {
            return Err(Clue::new("the regions are as the library wants them"));
        };
        let (mut opening, transmit, receive) = Port::open(regions, Bell(self.stage));
        for _ in 0..PATIENCE {
            match opening.poll() {
                Ok(port) => return Ok((port, transmit, receive)),
                Err(again) => opening = again,
            }
            self.stage.pause();
        }
        Err(Clue::new("central lets the port in"))
    }

    /// The role that this client plays, by its number.
    #[must_use]
    pub fn role(&self) -> Role {
        Role::ALL.get(usize::from(self.to_client.domain())).copied().unwrap_or(Role::Gamma)
    }

    /// A message of `length` bytes from `position` of `tx`, for the next buffer that `target` posts.
    #[must_use]
    pub fn message(target: Role, position: u64, length: u32) -> Descriptor {
        Descriptor {
            source: Address::at(position).unwrap_or_default(),
            length,
            target: target.number(),
            ..Descriptor::default()
        }
    }

    /// The same, placed at byte `place` of the target's `rx`.
    #[must_use]
    pub fn message_to(target: Role, place: u64, position: u64, length: u32) -> Descriptor {
        Descriptor {
            destination: Address::at(place).unwrap_or_default(),
            kind: Kind::Placed as u8,
            ..Self::message(target, position, length)
        }
    }

    /// Publishes a descriptor without a signal. Returns its index.
    pub fn publish(&mut self, descriptor: Descriptor) -> u32 {
        let index = self.store(descriptor);
        self.from_client.transmit_tail.publish(self.sends);
        index
    }

    /// Stores a descriptor without publishing it. Returns its index. Slots in which a send waits are passed
    /// over, unless one waits in every slot.
    pub fn store(&mut self, descriptor: Descriptor) -> u32 {
        let waits = |index: u32| self.status(index.wrapping_sub(RING)) == Some(Status::Queued);
        if let Some(run) = (0..RING).find(|run| !waits(self.sends.wrapping_add(*run))) {
            for _ in 0..run {
                self.from_client.pass_over_send(self.sends);
                self.sends = self.sends.wrapping_add(1);
            }
        }
        let index = self.sends;
        self.from_client.descriptors.store(index, descriptor);
        self.sends = index.wrapping_add(1);
        index
    }

    /// Publishes a descriptor and signals central if its hint asks for it. Returns the index.
    pub fn send(&mut self, descriptor: Descriptor) -> u32 {
        let index = self.publish(descriptor);
        self.flush();
        index
    }

    /// Signals central if its wake hint asks for it.
    pub fn flush(&self) {
        if self.to_client.wake.asks_for_signal() {
            self.stage.ring();
        }
    }

    /// Signals central, whether or not its wake hint asks for it.
    pub fn ring(&self) {
        self.stage.ring();
    }

    /// Posts `length` bytes from `position` of `rx` for one message. Returns the index.
    pub fn post(&mut self, position: u64, length: u32, from: Option<Role>) -> u32 {
        self.request(Post {
            place: Address::at(position).unwrap_or_default(),
            length,
            from: from.map_or(Post::ANYONE, Role::number),
            kind: PostKind::Buffer as u8,
            marks: 0,
        })
    }

    /// Opens `length` bytes from `position` of `rx` as a window for `from`. Returns the index.
    pub fn open_window(&mut self, position: u64, length: u32, from: Role) -> u32 {
        self.request(Post {
            place: Address::at(position).unwrap_or_default(),
            length,
            from: from.number(),
            kind: PostKind::Window as u8,
            marks: 0,
        })
    }

    /// Withdraws an earlier request, and signals central if its wake hint asks for it.
    pub fn withdraw(&mut self, earlier: u32) {
        self.from_client.withdraw(earlier);
        self.from_client.withdrawals.publish(self.from_client.withdrawals.observe().wrapping_add(1));
        self.flush();
    }

    /// Publishes any receive request, and signals central if its wake hint asks for it. Returns the index.
    pub fn request(&mut self, post: Post) -> u32 {
        let index = self.store_request(post);
        self.publish_requests();
        index
    }

    /// Stores a receive request without publishing it. Returns its index. Slots whose request is not over are
    /// passed over, unless all slots are in use.
    pub fn store_request(&mut self, post: Post) -> u32 {
        while self.held != u128::MAX && self.held & bit(self.posts) != 0 {
            self.from_client.pass_over_post(self.posts);
            self.posts = self.posts.wrapping_add(1);
        }
        let index = self.posts;
        self.held |= bit(index);
        self.from_client.posts.store(index, post);
        self.posts = index.wrapping_add(1);
        index
    }

    /// Publishes all stored receive requests, and signals central if its wake hint asks for it.
    pub fn publish_requests(&self) {
        self.from_client.post_tail.publish(self.posts);
        self.flush();
    }

    /// Publishes all stored descriptors, and signals central if its wake hint asks for it.
    pub fn publish_sends(&self) {
        self.from_client.transmit_tail.publish(self.sends);
        self.flush();
    }

    /// Whether central serves this client in the epoch that it has asked for.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.to_client.epoch.observe() == self.from_client.epoch_wanted.observe()
            && self.to_client.standing() == Standing::Open
    }

    /// The status of a send.
    #[must_use]
    pub fn status(&self, index: u32) -> Option<Status> {
        self.to_client.status(index).get(index)
    }

    /// Waits until a send has ended, and returns its final status.
    #[track_caller]
    pub fn end_of(&self, index: u32) -> Result<Status, Clue> {
        self.wait(|actor| actor.status(index).is_some_and(Status::is_final))?;
        self.status(index).ok_or(Clue::new("a final status stays"))
    }

    /// Waits until a send is `Queued`.
    #[track_caller]
    pub fn until_queued(&self, index: u32) -> Result<(), Clue> {
        self.wait(|actor| actor.status(index) == Some(Status::Queued))
    }

    /// The next delivery, if there is one (r18: found by looking, not by a signal).
    pub fn poll(&mut self) -> Option<Delivery> {
        if self.to_client.delivery_tail.observe() == self.taken {
            return None;
        }
        let delivery: Delivery = self.to_client.deliveries.load(self.taken);
        self.taken = self.taken.wrapping_add(1);
        self.from_client.delivery_head.publish(self.taken);
        if delivery.kind != DeliveryKind::Placed as u8 {
            self.held &= !bit(delivery.request);
        }
        Some(delivery)
    }

    /// Waits for the next delivery.
    #[track_caller]
    pub fn receive(&mut self) -> Result<Delivery, Clue> {
        self.wait(|actor| actor.to_client.delivery_tail.observe() != actor.taken)?;
        self.poll().ok_or(Clue::new("a delivery stays"))
    }

    /// Waits until central regards this client as `standing`.
    #[track_caller]
    pub fn until(&self, standing: Standing) -> Result<(), Clue> {
        self.wait(|actor| actor.to_client.standing() == standing)
    }

    /// Lets others run until the condition holds.
    #[track_caller]
    pub fn wait(&self, mut condition: impl FnMut(&Self) -> bool) -> Result<(), Clue> {
        for _ in 0..PATIENCE {
            if condition(self) {
                return Ok(());
            }
            self.stage.pause();
        }
        Err(Clue::new("the condition becomes true in time"))
    }

    /// Lets others run.
    pub fn pause(&self) {
        self.stage.pause();
    }

    /// Lets others run for a while: every other actor gets the processor many times.
    pub fn rest(&self) {
        for _ in 0..1000 {
            self.stage.pause();
        }
    }

    /// Prints a line.
    pub fn print(&self, line: Arguments<'_>) {
        self.stage.print(line);
    }

    /// The platform, for what only some scenarios need.
    #[must_use]
    pub fn stage(&self) -> &'a dyn Stage {
        self.stage
    }

    /// Tells the umpire that this role has passed. It sends the message again if gamma's own script has
    /// restarted gamma or brought it into quarantine meanwhile.
    pub fn report_pass(&mut self) -> Result<(), Clue> {
        loop {
            let send = self.send_pass();
            match self.end_of(send)? {
                Status::Done => return Ok(()),
                Status::PeerReset | Status::Quarantined => self.rest(),
                _ => return Err(Clue::new("the umpire can be told")),
            }
        }
    }

    /// Sends the umpire the message that this role has passed. Returns the index of the send.
    pub fn send_pass(&mut self) -> u32 {
        self.send(Descriptor { tag: TAG_PASSED, ..Self::message(Role::Gamma, 0, 0) })
    }

    /// Waits until all other roles that play have said that they passed. Mallory comes last, because a
    /// message from mallory to gamma may have to wait until mallory has seen that it waits. Only gamma calls
    /// this; `plays` tells which roles play.
    pub fn await_passes(&mut self, plays: impl Fn(Role) -> bool) -> Result<(), Clue> {
        for roles in [&[Role::Alpha, Role::Beta][..], &[Role::Mallory][..]] {
            let mut awaited = roles.iter().filter(|role| plays(**role)).count();
            // The scenario may have left buffers posted. These are only for the messages of the other roles,
            // whatever else arrives.
            for role in roles.iter().take(awaited) {
                self.post(0, 1, Some(*role));
            }
            while awaited != 0 {
                let delivery = self.receive()?;
                let by_one_of_them = roles.iter().any(|role| role.number() == delivery.source);
                awaited -= usize::from(delivery.tag == TAG_PASSED && by_one_of_them);
            }
        }
        Ok(())
    }
}
