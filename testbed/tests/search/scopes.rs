//! What is searched. Each scope allows other rare events, so that each can be searched deeply.

use crate::scene::{Count, Message, Scope};

/// Two messages of one sender, and of the other one a chain, which expires after a tick.
const MESSAGES: [&[Message]; 2] = [
    &[Message { bytes: 24, parts: 1, ticks: 0 }, Message { bytes: 10, parts: 1, ticks: 0 }],
    &[Message { bytes: 40, parts: 2, ticks: 1 }],
];

/// Short messages. Nothing rare happens.
const SHORT: Scope = Scope {
    name: "",
    messages: MESSAGES,
    stages: &[],
    buffer: 64,
    places: 4,
    share: (64 * 1024, 64),
    most: Count {
        posts: 2,
        withdrawals: 0,
        leaves: 0,
        ticks: 0,
        stops: 0,
        amid: 0,
        offers: 0,
        lies: 0,
        rewrites: 0,
    },
    few: 0,
    many: 0,
};

pub(crate) static CALM: Scope = Scope {
    name: "nobody restarts",
    most: Count { posts: 3, withdrawals: 2, ticks: 2, ..SHORT.most },
    few: 6,
    many: 9,
    ..SHORT
};

pub(crate) static AMID: Scope = Scope {
    name: "clients act while central runs",
    most: Count { withdrawals: 1, ticks: 1, amid: 2, ..SHORT.most },
    few: 5,
    many: 8,
    ..SHORT
};

pub(crate) static LIVES: Scope = Scope {
    name: "clients restart",
    most: Count { posts: 3, leaves: 2, amid: 1, ..SHORT.most },
    few: 4,
    many: 7,
    ..SHORT
};

pub(crate) static STOPS: Scope = Scope {
    name: "central restarts",
    most: Count { withdrawals: 1, stops: 2, ..SHORT.most },
    few: 4,
    many: 6,
    ..SHORT
};

pub(crate) static ALL: Scope = Scope {
    name: "everything restarts",
    most: Count { posts: 3, withdrawals: 1, leaves: 1, ticks: 1, stops: 2, amid: 1, ..SHORT.most },
    few: 3,
    many: 5,
    ..SHORT
};

/// One sender has a message that takes two steps, and shares of half a step.
const TWO_STEPS: Scope = Scope {
    messages: [
        &[Message { bytes: 65_700, parts: 1, ticks: 1 }],
        &[Message { bytes: 24, parts: 1, ticks: 0 }],
    ],
    buffer: 65_800,
    places: 3,
    share: (32 * 1024, 8),
    ..SHORT
};

pub(crate) static LONG: Scope = Scope {
    name: "long messages",
    most: Count { posts: 1, withdrawals: 1, leaves: 1, ticks: 1, amid: 1, ..SHORT.most },
    few: 4,
    many: 6,
    ..TWO_STEPS
};

pub(crate) static LONG_STOPS: Scope = Scope {
    name: "long messages, central restarts",
    most: Count { posts: 1, withdrawals: 1, stops: 1, ..SHORT.most },
    few: 3,
    many: 5,
    ..TWO_STEPS
};

/// One message of each sender, the second of which expires after two ticks.
const GUARDED: Scope = Scope {
    messages: [
        &[Message { bytes: 24, parts: 1, ticks: 0 }, Message { bytes: 10, parts: 1, ticks: 0 }],
        &[Message { bytes: 40, parts: 2, ticks: 2 }],
    ],
    places: 2,
    most: Count { posts: 1, offers: 2, ..SHORT.most },
    ..SHORT
};

/// Two guards, one after the other.
const CHAIN: &[(&[u16], u32)] = &[(&[3], 1), (&[4], 1)];
/// Two guards, of which one or both have to pass a message.
const ONE_OF_TWO: &[(&[u16], u32)] = &[(&[3, 4], 1)];
const BOTH: &[(&[u16], u32)] = &[(&[3, 4], 2)];

pub(crate) static GUARDS_CHAIN: Scope = Scope {
    name: "two guards, one after the other",
    stages: CHAIN,
    most: Count { offers: 3, ticks: 1, lies: 1, rewrites: 1, ..GUARDED.most },
    few: 6,
    many: 10,
    ..GUARDED
};

pub(crate) static GUARDS_QUORUM: Scope = Scope {
    name: "one of two guards",
    stages: ONE_OF_TWO,
    most: Count { offers: 3, ticks: 2, lies: 1, rewrites: 1, ..GUARDED.most },
    few: 5,
    many: 9,
    ..GUARDED
};

pub(crate) static GUARDS_BOTH: Scope = Scope {
    name: "both of two guards, while central runs",
    stages: BOTH,
    most: Count { offers: 4, ticks: 1, amid: 1, ..GUARDED.most },
    few: 6,
    many: 8,
    ..GUARDED
};

pub(crate) static GUARDS_LIVES: Scope = Scope {
    name: "guards and their peers restart",
    stages: CHAIN,
    most: Count { posts: 0, leaves: 1, amid: 1, ..GUARDED.most },
    few: 5,
    many: 8,
    ..GUARDED
};

pub(crate) static GUARDS_STOPS: Scope = Scope {
    name: "central restarts between guards",
    stages: CHAIN,
    most: Count { offers: 3, stops: 2, lies: 1, ..GUARDED.most },
    few: 3,
    many: 6,
    ..GUARDED
};

pub(crate) static GUARDS_ALL: Scope = Scope {
    name: "guards, their peers and central restart",
    stages: CHAIN,
    most: Count { leaves: 1, stops: 1, lies: 1, ..GUARDED.most },
    few: 3,
    many: 7,
    ..GUARDED
};
