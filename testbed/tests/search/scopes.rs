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
    buffer: 64,
    places: 4,
    share: (64 * 1024, 64),
    most: Count { posts: 2, withdrawals: 0, leaves: 0, ticks: 0, stops: 0, amid: 0 },
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
    most: Count { posts: 3, withdrawals: 1, leaves: 1, ticks: 1, stops: 2, amid: 1 },
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
