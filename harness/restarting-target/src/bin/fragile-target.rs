//! A target without a buffer for the sender. When the messenger says that a message has been passed for it,
//! it breaks down. Its last life has a buffer, and gets the message of the last round, and no other.

#![no_std]
#![no_main]

use ferry_client::{ChannelSet, Client, Doorbell, Event, Port, ReceiveMemory, TransmitMemory};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Target::new)
}

/// Bytes of a buffer.
const BYTES: u32 = 512;
/// The number of the last life, from 1.
const LAST: u8 = 6;
/// The number of the last round, from 0.
const ROUND: u64 = 5;

struct Target {
    life: u8,
    messages: u32,
}

impl Target {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, receive: ReceiveMemory) -> Self {
        // The memory that it could send from is left as it is when it restarts.
        let mut count = transmit.split::<1>(1).pop().expect("the region has a page");
        let [life] = count.bytes_mut() else { panic!("one byte") };
        *life += 1;
        let life = *life;
        let mut buffers = receive.split::<3>(BYTES).into_iter();
        let messenger = port.peer("messenger");
        port.post(buffers.next().expect("three"), messenger).expect("the ring is empty");
        if life == LAST {
            for buffer in buffers {
                port.post(buffer, None).expect("the ring is empty");
            }
        }
        Self { life, messages: 0 }
    }
}

impl Client for Target {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(event) = port.receive() {
            let Event::Message { tag, buffer, length, .. } = event else { continue };
            let life = self.life;
            if length == 0 {
                assert!(life == LAST, "life {life} ends: a message has been passed for it and waits");
                continue;
            }
            self.messages += 1;
            let is_right = tag == ROUND && buffer.bytes().iter().all(|byte| u64::from(*byte) == ROUND);
            if is_right && self.messages == 1 {
                runtime::println!("life {life} got the message of round {tag} and no other");
            } else {
                runtime::println!("ferry: error life {life} got the message of round {tag}");
            }
        }
    }
}
