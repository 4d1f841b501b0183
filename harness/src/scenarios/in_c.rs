//! Scenarios whose roles are programs in C (`harness/c`), against `ferry.h` and its static library. The other
//! roles are those of the scenario in Rust with the same requirement, so both kinds of client meet each
//! other. In the last ones both ends are in C.

use super::requests::relay;
use super::{polling, status};
use crate::role::Role;
use crate::scenario::{Change, Scenario};

pub(super) const R15: Scenario = Scenario {
    name: "r15_in_c_the_status_says_when_the_transfer_is_complete",
    in_c: &[(Role::Alpha, "r15_sender")],
    ..status::R15
};

pub(super) const R16: Scenario = Scenario {
    name: "r16_in_c_the_sender_removes_the_entry_when_it_sees_the_status",
    in_c: &[(Role::Alpha, "r16_sender")],
    ..status::R16
};

pub(super) const R16_MANY: Scenario = Scenario {
    name: "r16_in_c_entries_are_removed_many_at_a_time",
    in_c: &[(Role::Alpha, "r16_many_sender"), (Role::Beta, "r16_many_receiver")],
    ..Scenario::IDLE
};

pub(super) const R16_EACH: Scenario = Scenario {
    name: "r16_in_c_entries_are_removed_all_at_once_and_their_buffers_used_again",
    in_c: &[(Role::Alpha, "r16_each_sender"), (Role::Beta, "r16_each_receiver")],
    ..Scenario::IDLE
};

pub(super) const MISUSE_EACH: Scenario = Scenario {
    name: "r16_in_c_misuse_of_whole_batches_is_refused_and_nothing_happens_by_it",
    in_c: &[(Role::Alpha, "misuse_each_sender"), (Role::Beta, "misuse_each_receiver")],
    ..Scenario::IDLE
};

pub(super) const T140: Scenario = Scenario {
    name: "t140_in_c_the_receiver_of_a_one_way_flow_counts_what_it_has_missed",
    in_c: &[(Role::Alpha, "t140_sender"), (Role::Beta, "t140_receiver")],
    gamma: Some(relay),
    flows: &[Change::OneWay { from: Role::Alpha, to: Role::Beta }],
    ..Scenario::IDLE
};

pub(super) const R17: Scenario = Scenario {
    name: "r17_in_c_an_entry_in_the_receive_queue_says_what_has_arrived",
    in_c: &[(Role::Beta, "r17_receiver")],
    ..status::R17
};

pub(super) const R18_SENDER: Scenario = Scenario {
    name: "r18_in_c_a_message_without_a_signal",
    in_c: &[(Role::Alpha, "r18_sender")],
    ..polling::R18
};

pub(super) const R18: Scenario = Scenario {
    name: "r18_in_c_a_target_that_polls_needs_no_signal",
    in_c: &[(Role::Alpha, "r18_sender"), (Role::Beta, "r18_receiver")],
    ..Scenario::IDLE
};

pub(super) const R25_SENDER: Scenario = Scenario {
    name: "r25_in_c_each_fault_of_the_sender_has_its_status",
    in_c: &[(Role::Alpha, "r25_sender")],
    ..status::R25_SENDER
};

pub(super) const R25_TOO_LONG: Scenario = Scenario {
    name: "r25_in_c_too_long_for_the_posted_buffer",
    in_c: &[(Role::Alpha, "r25_too_long_sender")],
    ..status::R25_TOO_LONG
};

pub(super) const R25_PEER_RESET: Scenario = Scenario {
    name: "r25_in_c_a_target_that_restarts_resets_what_waits_for_it",
    in_c: &[(Role::Alpha, "r25_peer_reset_sender")],
    ..status::R25_PEER_RESET
};

pub(super) const R25_QUARANTINED: Scenario = Scenario {
    name: "r25_in_c_a_target_in_quarantine_ends_what_waits_for_it",
    in_c: &[(Role::Alpha, "r25_quarantined_sender")],
    ..status::R25_QUARANTINED
};

pub(super) const R26: Scenario = Scenario {
    name: "r26_in_c_a_finished_message_leaves_the_queue_and_its_slot_is_reusable",
    in_c: &[(Role::Alpha, "r26_sender")],
    ..status::R26
};

pub(super) const MISUSE: Scenario = Scenario {
    name: "r16_in_c_misuse_is_refused_and_nothing_happens_by_it",
    in_c: &[(Role::Alpha, "misuse_sender"), (Role::Beta, "misuse_receiver")],
    ..Scenario::IDLE
};

pub(super) const CALLS: Scenario = Scenario {
    name: "r17_in_c_each_call_ends_once_and_is_answered_once",
    in_c: &[(Role::Alpha, "calls_client"), (Role::Beta, "calls_server")],
    ..Scenario::IDLE
};
