//! Whatever is sent: no panic, no growth, and what was normal stays what it is.

use numbers::{Country, Kind, Rules, Sends};
use proptest::prelude::*;

proptest! {
    #[test]
    fn whatever_is_read_is_bounded_and_its_normal_form_reads_as_itself(text in ".{0,300}") {
        let rules = Rules::of(Country::ITALY);
        let number = rules.read(&text).number;
        prop_assert!(number.as_str().len() <= 512);
        if number.kind() != Kind::Invalid && number.kind() != Kind::Name {
            prop_assert_eq!(rules.normal(number.as_str()), number);
        }
    }

    #[test]
    fn what_is_sent_in_any_form_arrives_as_the_same_number(
        digits in "(06[1-9][0-9]{6,8}|3[2-9][0-9]{8}|800[0-9]{6}|15[0-9]{2})",
        sends in prop::sample::select(vec![Sends::E164, Sends::Plain, Sends::DoubleZero, Sends::National]),
    ) {
        let rules = Rules { sends, ..Rules::of(Country::ITALY) };
        let number = rules.normal(&digits);
        prop_assert_ne!(number.kind(), Kind::Invalid);
        prop_assert_eq!(rules.read(&rules.write(&number)).number, number);
    }
}
