//! Takes what `producer` sends, and posts each buffer again at once. It does only what a receiver must do.

#![no_std]
#![no_main]

mod order;

use ferry_client::{Doorbell, Event, Opening, Port, ReceiveBuffer};
use heapless::Vec;
use order::{BUFFERS, Order, fail, regions};
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

#[allow(clippy::large_enum_variant, reason = "there is one of it, and no allocator to put it anywhere else")]
enum Consumer<D: Doorbell> {
    Opening(Option<(Opening<D>, Vec<ReceiveBuffer, BUFFERS>)>),
    Receiving(Port<D>),
}

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central);
    let doorbell = move || central.map_or((), runtime::notify_above);
    let regions = regions().unwrap_or_else(|error| fail(format_args!("{error:?}")));
    let Some(order) = Order::read() else { fail(format_args!("the region bench is not filled in")) };
    let (opening, _, receive) = Port::open(regions, doorbell);
    let mut consumer = Consumer::Opening(Some((opening, receive.split(order.stride))));
    consumer.notified(ChannelSet::default());
    consumer
}

impl<D: Doorbell> Handler for Consumer<D> {
    fn notified(&mut self, _: ChannelSet) {
        match self {
            Self::Receiving(port) => receive(port),
            Self::Opening(_) => self.open(),
        }
    }
}

impl<D: Doorbell> Consumer<D> {
    // A function of its own, because its stack frame is large.
    #[cold]
    #[inline(never)]
    fn open(&mut self) {
        let Self::Opening(state) = self else { return };
        let Some((opening, buffers)) = state.take() else { return };
        match opening.poll() {
            Err(opening) => *state = Some((opening, buffers)),
            Ok(mut port) => {
                for buffer in buffers {
                    post(&mut port, buffer);
                }
                receive(&mut port);
                *self = Self::Receiving(port);
            }
        }
    }
}

/// Takes deliveries until only central can go on.
fn receive<D: Doorbell>(port: &mut Port<D>) {
    loop {
        while let Err(full) = port.receive_each(|event| match event {
            Event::Message { buffer, .. } => Some(buffer),
            _ => fail(format_args!("something else than a message arrived")),
        }) {
            post(port, full.buffer);
        }
        port.flush();
        if !port.arm() {
            return;
        }
    }
}

/// Posts a buffer, and waits for a free slot if there is none. All buffers together take all slots, so a slot
/// is free only when central has published that. If central runs at the same time as this domain, this can
/// come a moment after the delivery.
fn post<D: Doorbell>(port: &mut Port<D>, mut buffer: ReceiveBuffer) {
    while let Err(full) = port.post(buffer, None) {
        buffer = full.buffer;
        runtime::yield_now();
    }
}
