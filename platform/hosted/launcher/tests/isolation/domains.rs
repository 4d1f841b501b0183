//! The protection domains of the trials.

use crate::trials::{self, Alpha};
use crate::{endings, intruder, outsider};
use runtime::{Channel, ChannelSet, Handler};

/// All of them.
pub(crate) const NAMES: [&str; 4] = ["ticker", "central", "alpha", "beta"];
/// What beta prints at each tick.
pub(crate) const GOES_ON: &str = "beta goes on";
/// Central's channels to alpha and beta. It signals both at each wake-up, alpha first.
const TO_CLIENTS: [usize; 2] = [1, 2];

/// A handler that calls this at each wake-up.
struct At<F>(F);

impl<F: FnMut(ChannelSet)> Handler for At<F> {
    fn notified(&mut self, channels: ChannelSet) {
        self.0(channels);
    }
}

/// Plays a domain until the process ends.
pub(crate) fn play(trial: &str, domain: &str) -> ! {
    if trial == endings::ALL_END {
        runtime::run(|| -> At<fn(ChannelSet)> {
            intruder::exit_without_report();
            At(|_| {})
        })
    }
    match domain {
        "ticker" => runtime::run(|| -> At<fn(ChannelSet)> {
            let central = runtime::channel!(ferry_central).expect("the description names the channel");
            loop {
                runtime::wait_for_period();
                runtime::notify(central);
            }
        }),
        "central" => {
            let lists_files = trial == trials::CENTRALS_FILES;
            runtime::run(move || {
                if lists_files {
                    intruder::list_files();
                }
                let clients =
                    TO_CLIENTS.map(|number| Channel::new(number).expect("a channel has a small number"));
                At(move |_| clients.into_iter().for_each(runtime::notify))
            })
        }
        "beta" => runtime::run(|| At(|_| runtime::println!("{GOES_ON}"))),
        _ => match trials::alpha_of(trial) {
            Alpha::Confined(action) => runtime::run(move || {
                action();
                At(|_| {})
            }),
            Alpha::Unconfined(action) => {
                action(&outsider::table());
                loop {
                    std::thread::park();
                }
            }
        },
    }
}
