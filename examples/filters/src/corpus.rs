//! The messages of `corpus/`, for the programs that send and expect them. `tests/corpus.rs` compares this
//! list with the directory.

/// A message, and the name of its file.
pub type Sample = (&'static str, &'static [u8]);

/// The messages of one filter.
#[derive(Debug)]
pub struct Corpus {
    /// The directory below `corpus/`.
    pub directory: &'static str,
    /// Those that pass.
    pub pass: &'static [Sample],
    /// Those that do not.
    pub refuse: &'static [Sample],
}

impl Corpus {
    /// All messages: those that pass come first.
    pub fn all(&self) -> impl Iterator<Item = &'static Sample> {
        self.pass.iter().chain(self.refuse)
    }
}

/// Names the files of a corpus.
macro_rules! corpus {
    ($directory:literal, pass: [$($pass:literal,)*], refuse: [$($refuse:literal,)*]) => {
        Corpus {
            directory: $directory,
            pass: &[$(($pass, include_bytes!(concat!("../corpus/", $directory, "/pass/", $pass))),)*],
            refuse: &[$(($refuse, include_bytes!(concat!("../corpus/", $directory, "/refuse/", $refuse))),)*],
        }
    };
}

/// The messages of [`schema`](crate::schema).
pub const SCHEMA: Corpus = corpus!(
    "schema",
    pass: [
        "alarm.cbor",
        "digest.cbor",
        "everything.cbor",
        "largest_numbers.cbor",
        "longest_note.cbor",
        "longest_trend.cbor",
        "no_alarm.cbor",
        "note_in_utf8.cbor",
        "other_order.cbor",
        "reading.cbor",
        "site.cbor",
        "southern_site.cbor",
        "trend.cbor",
    ],
    refuse: [
        "1-empty.cbor",
        "1-ends_in_a_number.cbor",
        "1-ends_in_the_middle.cbor",
        "1-more_fields_than_the_message_has.cbor",
        "1-name_is_not_utf8.cbor",
        "1-reserved_length.cbor",
        "1-text_longer_than_the_message.cbor",
        "2-indefinite_bytes.cbor",
        "2-indefinite_list.cbor",
        "2-indefinite_map.cbor",
        "2-indefinite_text.cbor",
        "3-length_of_text_with_a_zero_before_it.cbor",
        "3-name_with_a_longer_length.cbor",
        "3-negative_number_with_a_zero_before_it.cbor",
        "3-number_of_fields_with_a_zero_before_it.cbor",
        "3-number_with_a_zero_before_it.cbor",
        "4-float.cbor",
        "4-list_in_a_list.cbor",
        "4-list_instead_of_a_map.cbor",
        "4-list_of_texts.cbor",
        "4-map_for_a_number.cbor",
        "4-null.cbor",
        "4-number_for_a_flag.cbor",
        "4-number_for_a_name.cbor",
        "4-number_for_a_text.cbor",
        "4-tagged_time.cbor",
        "4-text_for_a_number.cbor",
        "4-two_hundred_lists_in_each_other.cbor",
        "4-undefined_for_a_flag.cbor",
        "5-name_in_capitals.cbor",
        "5-unknown_field.cbor",
        "5-unknown_field_of_the_site.cbor",
        "6-latitude_twice.cbor",
        "6-sensor_twice.cbor",
        "6-temperature_twice.cbor",
        "7-no_temperature.cbor",
        "7-nothing.cbor",
        "7-site_without_longitude.cbor",
        "8-before_2020.cbor",
        "8-beyond_the_pole.cbor",
        "8-negative_sequence.cbor",
        "8-number_beyond_64_bits_and_a_sign.cbor",
        "8-sequence_beyond_32_bits.cbor",
        "8-too_cold.cbor",
        "8-too_hot.cbor",
        "8-unknown_sensor.cbor",
        "9-digest_too_short.cbor",
        "9-note_too_long.cbor",
        "9-trend_of_4_thousand_million.cbor",
        "9-trend_too_long.cbor",
        "9-trend_without_numbers.cbor",
        "10-note_with_a_line_end.cbor",
        "10-note_with_an_escape_sequence.cbor",
        "11-byte_after_the_map.cbor",
        "11-two_readings.cbor",
    ]
);

/// The messages of [`syslog`](crate::syslog).
pub const SYSLOG: Corpus = corpus!(
    "syslog",
    pass: [
        "element_without_parameters.log",
        "empty_text.log",
        "escapes.log",
        "everything_left_out.log",
        "highest_priority_number.log",
        "iana_elements.log",
        "ipv6_host.log",
        "leap_day.log",
        "leap_day_of_a_century.log",
        "longest_fields.log",
        "longest_line.log",
        "longest_names.log",
        "most_elements.log",
        "no_byte_order_mark.log",
        "structured_data.log",
        "structured_data_alone.log",
        "su_failed.log",
        "text_in_utf8.log",
        "whole_seconds.log",
    ],
    refuse: [
        "1-one_byte_too_long.log",
        "2-blank_before_the_line.log",
        "2-empty.log",
        "2-no_priority.log",
        "2-priority_192.log",
        "2-priority_is_not_closed.log",
        "2-priority_minus_1.log",
        "2-priority_of_four_digits.log",
        "2-priority_with_a_leading_zero.log",
        "3-rfc_3164.log",
        "3-version_10.log",
        "3-version_2.log",
        "4-april_31.log",
        "4-day_0.log",
        "4-february_29.log",
        "4-february_29_of_1900.log",
        "4-hour_24.log",
        "4-leap_second.log",
        "4-month_0.log",
        "4-month_13.log",
        "4-no_digits_of_a_second.log",
        "4-no_offset.log",
        "4-offset_of_24_hours.log",
        "4-offset_without_a_colon.log",
        "4-seven_digits_of_a_second.log",
        "4-small_t.log",
        "4-small_z.log",
        "4-year_of_two_digits.log",
        "5-host_of_256_letters.log",
        "5-host_with_a_zero_byte.log",
        "5-host_with_an_umlaut.log",
        "5-no_host.log",
        "6-application_of_49_letters.log",
        "6-application_with_a_tab.log",
        "7-line_ends_after_the_application.log",
        "7-process_of_129_letters.log",
        "8-line_ends_after_the_message_id.log",
        "8-message_id_of_33_letters.log",
        "9-blank_between_elements_is_text_with_a_bracket.log",
        "9-bracket_in_a_value.log",
        "9-control_character_in_a_value.log",
        "9-element_is_not_closed.log",
        "9-element_without_a_name.log",
        "9-escape_of_a_letter.log",
        "9-name_of_33_letters.log",
        "9-name_with_a_quotation_mark.log",
        "9-no_structured_data.log",
        "9-nothing_and_more.log",
        "9-two_blanks_before_a_parameter.log",
        "9-value_ends_with_a_backslash.log",
        "9-value_is_not_closed.log",
        "9-value_is_not_utf8.log",
        "9-value_without_quotation_marks.log",
        "10-element_twice.log",
        "11-seventeen_elements.log",
        "12-byte_order_mark_before_latin_1.log",
        "12-carriage_return.log",
        "12-control_character_of_two_bytes.log",
        "12-delete.log",
        "12-escape_sequence.log",
        "12-latin_1.log",
        "12-line_end.log",
        "12-overlong_utf8.log",
        "12-second_line.log",
        "12-surrogate.log",
        "12-zero_byte.log",
    ]
);

/// The messages of [`modbus`](crate::modbus).
pub const MODBUS: Corpus = corpus!(
    "modbus",
    pass: [
        "burner_off.bin",
        "burner_on.bin",
        "drive_valve.bin",
        "drive_valve_3_coils.bin",
        "four_set_points.bin",
        "last_set_point_alone.bin",
        "read_16_registers.bin",
        "read_all_inputs.bin",
        "read_limit_switches.bin",
        "read_one_coil_of_valve.bin",
        "read_one_register.bin",
        "read_the_last_register.bin",
        "read_valve.bin",
        "set_point_highest.bin",
        "set_point_lowest.bin",
    ],
    refuse: [
        "1-empty.bin",
        "1-header_alone.bin",
        "1-http.bin",
        "1-longer_than_modbus_allows.bin",
        "2-http_request.bin",
        "2-other_protocol.bin",
        "3-byte_after_the_request.bin",
        "3-length_one_too_large.bin",
        "3-length_one_too_small.bin",
        "3-length_zero.bin",
        "3-two_requests.bin",
        "4-broadcast.bin",
        "4-unit_255.bin",
        "4-unknown_unit.bin",
        "5-diagnostics_restart.bin",
        "5-exception_code.bin",
        "5-function_0.bin",
        "5-mask_write.bin",
        "5-program_upload_of_a_vendor.bin",
        "5-read_and_write.bin",
        "5-read_coils_of_the_boiler.bin",
        "5-read_device_identification.bin",
        "5-write_a_register_of_the_valve.bin",
        "6-bits_after_the_last_coil.bin",
        "6-coil_neither_on_nor_off.bin",
        "6-coil_set_to_1.bin",
        "6-fewer_bytes_than_registers.bin",
        "6-fewer_bytes_than_stated.bin",
        "6-more_bytes_than_registers.bin",
        "6-no_byte_count.bin",
        "6-read_with_a_byte_too_many.bin",
        "6-read_without_a_quantity.bin",
        "6-two_bytes_for_eight_coils.bin",
        "6-write_with_a_byte_too_many.bin",
        "7-past_the_last_address.bin",
        "7-read_126_registers.bin",
        "7-read_17_registers.bin",
        "7-read_2001_coils.bin",
        "7-read_nothing.bin",
        "7-write_nothing.bin",
        "8-begins_before_the_set_points.bin",
        "8-begins_inside_and_ends_outside.bin",
        "8-drive_before_the_first_coil.bin",
        "8-drive_past_the_last_coil.bin",
        "8-other_coil_of_the_panel.bin",
        "8-register_after_the_last_one.bin",
        "8-set_point_that_does_not_exist.bin",
        "9-one_of_four_too_high.bin",
        "9-set_point_65535.bin",
        "9-set_point_too_high.bin",
        "9-set_point_too_low.bin",
    ]
);

/// The flows of this example's system, by their targets: the name of the target, and what is sent to it.
pub const FLOWS: [(&str, &Corpus); 4] =
    [("telemetry", &SCHEMA), ("logs", &SYSLOG), ("plant", &MODBUS), ("plant-2", &MODBUS)];

/// The tag of a message: its flow, and its place in the corpus of the flow.
#[must_use]
pub const fn tag(flow: usize, number: usize) -> u64 {
    (flow as u64) << 32 | number as u64
}

/// The flow of a message and its place in the corpus of the flow, by its tag.
#[must_use]
pub fn places(tag: u64) -> [usize; 2] {
    [tag >> 32, tag & 0xffff_ffff].map(|place| usize::try_from(place).unwrap_or(usize::MAX))
}
