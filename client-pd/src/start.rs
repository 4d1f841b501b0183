//! How a client starts and runs: [`start!`](crate::start!) takes its regions and its channel to central,
//! waits until central lets it in, makes the client, and from then on calls it whenever there is something to
//! do.
//!
//! What holds always: the client sees only a port that is open, and no wake-up is lost. A client that leaves
//! something in its queues sleeps until something new comes; it is not called in an endless loop.

use core::sync::atomic::{AtomicBool, Ordering};

use ferry_platform::{ChannelSet, Handler};

use crate::memory::{ReceiveMemory, TransmitMemory};
use crate::port::{Doorbell, Opening, Port, Regions};

/// What a client does. [`start!`](crate::start!) makes a program's [`Handler`] of it.
///
/// ```
/// use ferry_client::{ChannelSet, Client, Doorbell, Event, Port};
///
/// /// Counts the bytes that arrive.
/// struct Counter {
///     bytes: u64,
/// }
///
/// impl Client for Counter {
///     fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
///         while let Some(event) = port.receive() {
///             if let Event::Message { buffer, length, .. } = event {
///                 self.bytes += u64::from(length);
///                 assert!(port.post(buffer, None).is_ok());
///             }
///         }
///     }
/// }
/// # let (mut here, mut there) = ferry_testbed::stage::pair();
/// # here.post();
/// # there.send(7, b"hello");
/// # let mut counter = Counter { bytes: 0 };
/// # counter.woken(&mut here.port, ChannelSet::default());
/// # assert_eq!(counter.bytes, 5);
/// ```
pub trait Client {
    /// Called after each wake-up, with the channels that were signalled, and again if something came
    /// meanwhile. Then `channels` is empty. It need not call [`Port::flush`] or [`Port::arm`]: both are
    /// called when it returns.
    ///
    /// Take here what has come: sends that have ended by [`Port::reap`], and deliveries by [`Port::receive`].
    /// What is left stays in its queue. It does not wake the client; it is there at the next wake-up.
    fn woken(&mut self, port: &mut Port<impl Doorbell>, channels: ChannelSet);
}

/// A client that was started, as the [`Handler`] of its program. `B` is what begins it, `C` is the client.
pub struct Started<D: Doorbell, B, C>(State<D, B, C>);

/// Whether central has let the client in.
#[expect(
    clippy::large_enum_variant,
    reason = "a program has one, and it is nearly always in the large variant"
)]
enum State<D: Doorbell, B, C> {
    /// Not yet. It is empty only while the client begins.
    Opening(Option<Beginning<D, B>>),
    /// It has.
    Open(Port<D>, C),
}

/// What is needed when central lets the client in.
struct Beginning<D: Doorbell, B> {
    opening: Opening<D>,
    transmit: TransmitMemory,
    receive: ReceiveMemory,
    begin: B,
    /// The channels that were signalled so far.
    channels: ChannelSet,
}

impl<D, B, C> Started<D, B, C>
where
    D: Doorbell,
    B: FnOnce(&mut Port<D>, TransmitMemory, ReceiveMemory) -> C,
    C: Client,
{
    /// Asks central to let the client in. When central has, `begin` makes the client. A program of a
    /// protection domain calls [`start!`](crate::start!) instead, which also finds the regions and the
    /// channel.
    ///
    /// ```
    /// use ferry_client::{ChannelSet, Client, Doorbell, Port, Started};
    /// use ferry_platform::Handler;
    ///
    /// /// Does nothing but be there.
    /// struct Idle;
    ///
    /// impl Client for Idle {
    ///     fn woken(&mut self, _: &mut Port<impl Doorbell>, _: ChannelSet) {}
    /// }
    /// # let (regions, signal_central) = ferry_testbed::stage::regions();
    /// let mut handler = Started::new(regions, signal_central, |port, _, _| {
    ///     assert!(port.peer("client1").is_some());
    ///     Idle
    /// });
    /// handler.notified(ChannelSet::default()); // what the runtime does when central signals
    /// ```
    pub fn new(regions: Regions, doorbell: D, begin: B) -> Self {
        let (opening, transmit, receive) = Port::open(regions, doorbell);
        let channels = ChannelSet::default();
        let beginning = Beginning { opening, transmit, receive, begin, channels };
        let mut started = Self(State::Opening(Some(beginning)));
        // Central runs before its clients, so it may have let this one in already.
        started.notified(channels);
        started
    }

    // A function of its own, because its stack frame is large.
    #[cold]
    #[inline(never)]
    fn open(&mut self, channels: ChannelSet) {
        let State::Opening(beginning) = &mut self.0 else { return };
        let Some(Beginning { opening, transmit, receive, begin, channels: earlier }) = beginning.take()
        else {
            return;
        };
        let channels = ChannelSet::from_bits(earlier.bits() | channels.bits());
        match opening.poll() {
            Err(opening) => *beginning = Some(Beginning { opening, transmit, receive, begin, channels }),
            Ok(mut port) => {
                let client = begin(&mut port, transmit, receive);
                self.0 = State::Open(port, client);
                self.notified(channels);
            }
        }
    }
}

impl<D, B, C> Handler for Started<D, B, C>
where
    D: Doorbell,
    B: FnOnce(&mut Port<D>, TransmitMemory, ReceiveMemory) -> C,
    C: Client,
{
    fn notified(&mut self, channels: ChannelSet) {
        match &mut self.0 {
            State::Open(port, client) => run(port, client, channels),
            State::Opening(_) => self.open(channels),
        }
    }
}

/// Calls the client until only others can act next.
fn run(port: &mut Port<impl Doorbell>, client: &mut impl Client, mut channels: ChannelSet) {
    let mut seen = None;
    loop {
        client.woken(port, channels);
        port.flush();
        if !port.arm() {
            return;
        }
        // Whatever changes from here on causes a signal. So if the client was called in this very state, and
        // left it as it was, it may sleep.
        let progress = port.progress();
        if seen == Some(progress) {
            return;
        }
        seen = Some(progress);
        channels = ChannelSet::default();
    }
}

/// Whether this program may take its regions. Only the first call returns `true`.
#[doc(hidden)]
pub fn may_take_regions() -> bool {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    !TAKEN.swap(true, Ordering::Relaxed)
}

/// Starts the client of this protection domain, and returns the `Handler` that its `init` returns. The
/// argument begins the client when central has let it in: a closure, or the name of a function, that takes
/// the open [`Port`] and the memory, which is to be split into buffers.
///
/// It finds the four regions by their symbols `ferry_out`, `ferry_in`, `ferry_tx` and `ferry_rx`, and the
/// channel to central by `ferry_central`. It uses the crate `runtime` of the platform, so that crate must be
/// a dependency of the program. Use it once in a program.
///
/// ```
/// use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveMemory, TransmitMemory};
/// # use ferry_testbed::runtime;
/// use runtime::Handler;
///
/// runtime::protection_domain!(init);
///
/// fn init() -> impl Handler {
///     ferry_client::start!(Printer::new)
/// }
///
/// struct Printer;
///
/// impl Printer {
///     fn new(port: &mut Port<impl Doorbell>, _: TransmitMemory, receive: ReceiveMemory) -> Self {
///         for buffer in receive.split::<16>(2048) {
///             assert!(port.post(buffer, None).is_ok());
///         }
///         Self
///     }
/// }
///
/// impl Client for Printer {
///     fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
///         while let Some(event) = port.receive() {
///             if let Event::Message { source, buffer, length, .. } = event {
///                 runtime::println!("{length} bytes from client {}", source.number());
///                 assert!(port.post(buffer, None).is_ok());
///             }
///         }
///     }
/// }
/// # fn main() { runtime::run(init) }
/// ```
///
/// # Panics
/// If the system description does not give this program the regions and the channel of a client, or if the
/// program starts a second time without having been restarted.
#[macro_export]
macro_rules! start {
    ($begin:expr) => {{
        assert!($crate::may_take_regions(), "a program starts its client once");
        let central = runtime::channel!(ferry_central)
            .ok_or($crate::OpenError::Missing("ferry_central"))
            .unwrap_or_else(|error| panic!("{error}"));
        // SAFETY: these are this program's regions, mapped as the system description says. They are taken
        // only here, and the line above lets that happen once.
        let regions = unsafe {
            $crate::Regions::new(
                runtime::region!(ferry_out),
                runtime::region!(ferry_in),
                runtime::region!(ferry_tx),
                runtime::region!(ferry_rx),
            )
        };
        let regions = regions.unwrap_or_else(|error| panic!("{error}"));
        $crate::Started::new(regions, move || runtime::notify_above(central), $begin)
    }};
}
