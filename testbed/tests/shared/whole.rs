//! Which descriptors central reads as a whole. The ordinary path reads every word of a descriptor that it
//! takes, and no express lane does. So a test can tell which of the two has taken a message or a verdict.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_layout::OutRegion;
use ferry_layout::observe::{AccessKind, set_hook};

/// A bit for each word of a descriptor.
const ALL: u8 = 0b1_1111;

/// The slots of the descriptors of a client that central reads as a whole while `run` runs it.
pub(crate) fn read_whole(from_client: &OutRegion, run: impl FnOnce()) -> Vec<usize> {
    let [start, second] = [0, 1].map(|slot| std::ptr::from_ref(from_client.descriptors.slot(slot)).addr());
    let stride = second - start;
    let words = Rc::new(RefCell::new([0_u8; 128]));
    let seen = Rc::clone(&words);
    set_hook(Some(Box::new(move |access| {
        let place = access.address.wrapping_sub(start);
        if access.kind == AccessKind::Load
            && let Some(words) = seen.borrow_mut().get_mut(place / stride)
        {
            *words |= 1 << (place % stride / 8);
        }
    })));
    run();
    set_hook(None);
    let words = words.borrow();
    words.iter().enumerate().filter(|(_, words)| **words & ALL == ALL).map(|(slot, _)| slot).collect()
}
