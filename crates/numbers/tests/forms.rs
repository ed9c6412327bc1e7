//! Every form in which the same number comes, and the one in which it is known.

use numbers::{Arrives, Country, Kind, Rules, Sends};

fn italy() -> Rules {
    Rules::of(Country::ITALY)
}

#[test]
fn one_number_has_one_form_however_a_trunk_writes_it() {
    let written = [
        "0612345678",
        "+390612345678",
        "00390612345678",
        "390612345678",
        "+39-06-1234.5678",
        "+39 (06) 12345678",
        "+39.06.1234-5678;npdi;rn=+393900",
        "0612345678;phone-context=+39",
        "12345678;phone-context=+3906",
        "0612345678;phone-context=39",
        "0612345678;phone-context=ims.mnc001.mcc222.3gppnetwork.org",
        "0612345678;phone-context=example.com;isub=12;ext=3",
        "+0612345678",
        "+00390612345678",
        "390612345678;phone-context=+39",
        "0039 06 12345678;phone-context=+39",
        "0612345678;phone-context=",
        "06/12345678",
    ];
    for text in written {
        let number = italy().read(text).number;
        assert_eq!((number.as_str(), number.kind()), ("+390612345678", Kind::Fixed), "{text}");
    }
}

#[test]
fn each_kind_of_the_italian_plan_is_known() {
    for (text, normal, kind) in [
        ("3331234567", "+393331234567", Kind::Mobile),
        ("393331234567", "+393331234567", Kind::Mobile),
        ("3931234567", "+393931234567", Kind::Mobile),
        ("333123456", "+39333123456", Kind::Mobile),
        ("800100100", "+39800100100", Kind::TollFree),
        ("+39800100100", "+39800100100", Kind::TollFree),
        ("0039800100100", "+39800100100", Kind::TollFree),
        ("39800100100", "+39800100100", Kind::TollFree),
        ("803116", "+39803116", Kind::TollFree),
        ("848800800", "+39848800800", Kind::SharedCost),
        ("199123456", "+39199123456", Kind::SharedCost),
        ("892424", "+39892424", Kind::Premium),
        ("899123456", "+39899123456", Kind::Premium),
        ("1781234567", "+391781234567", Kind::Personal),
        ("5512345678", "+395512345678", Kind::Nomadic),
        ("112", "112", Kind::Short),
        ("1510", "1510", Kind::Short),
        ("+391510", "1510", Kind::Short),
        ("00391510", "1510", Kind::Short),
        ("1510;phone-context=+39", "1510", Kind::Short),
        ("1522", "1522", Kind::Short),
        ("114", "114", Kind::Short),
        ("116111", "116111", Kind::Short),
        ("116117", "116117", Kind::Short),
        ("117", "117", Kind::Short),
        ("1500", "1500", Kind::Short),
        ("1530", "1530", Kind::Short),
        ("19696", "19696", Kind::Short),
        ("1161", "1161", Kind::PremiumShort),
        ("1240", "1240", Kind::PremiumShort),
        ("+391254", "1254", Kind::PremiumShort),
        ("187", "187", Kind::PremiumShort),
        ("1033", "1033", Kind::PremiumShort),
        ("196960", "196960", Kind::PremiumShort),
        ("48000", "48000", Kind::PremiumShort),
        ("4012", "4012", Kind::PremiumShort),
        ("0843123456", "+390843123456", Kind::Fixed),
        ("0549123456", "+390549123456", Kind::Fixed),
    ] {
        let number = italy().read(text).number;
        assert_eq!((number.as_str(), number.kind()), (normal, kind), "{text}");
    }
}

#[test]
fn what_e164_does_not_number_has_its_own_forms() {
    for (text, normal, kind) in [
        ("200", "200", Kind::Extension),
        ("*21#", "*21#", Kind::Extension),
        ("7001", "7001", Kind::Extension),
        ("anna", "anna", Kind::Name),
        ("anna-maria.2", "anna-maria.2", Kind::Name),
        ("", "", Kind::Name),
        ("+", "+", Kind::Name),
        ("+39061", "+39061", Kind::Invalid),
        ("+999123456789", "+999123456789", Kind::Invalid),
        ("999999999999999999999999", "999999999999999999999999", Kind::Invalid),
        ("+44 20 7183 8750", "+442071838750", Kind::Foreign),
        ("0044 2071838750", "+442071838750", Kind::Foreign),
        ("442071838750", "+442071838750", Kind::Foreign),
        ("+3780549123456", "+3780549123456", Kind::Foreign),
    ] {
        let number = italy().read(text).number;
        assert_eq!((number.as_str(), number.kind()), (normal, kind), "{text}");
    }
}

#[test]
fn a_name_that_begins_as_a_number_does_is_none() {
    for text in ["+39anna", "+0nord", "+41x445554433"] {
        let number = italy().normal(text);
        assert_eq!((number.kind(), number.e164(), number.country()), (Kind::Name, None, None), "{text}");
        assert_eq!(number.italian_digits(), None, "{text}");
    }
}

#[test]
fn a_trunk_may_say_that_its_digits_begin_with_a_calling_code_or_that_they_never_do() {
    let e164 = Rules { arrives: Arrives::E164, ..italy() };
    let national = Rules { arrives: Arrives::National, ..italy() };
    // A mobile of the range 390, or a fixed line of eight digits behind the calling code.
    assert_eq!(national.read("3906123456").number.as_str(), "+393906123456");
    assert_eq!(e164.read("3906123456").number.as_str(), "+3906123456");
    assert_eq!(e164.read("41443643533").number.as_str(), "+41443643533");
    assert_eq!(e164.read("12125551212").number.as_str(), "+12125551212");
    assert_eq!(e164.read("061234567").number.as_str(), "+39061234567", "no calling code begins with 0");
    assert_eq!(e164.read("1510").number.as_str(), "1510");
}

#[test]
fn a_number_dialled_within_its_place_gets_the_area() {
    let rome = Rules { area: Some("06".to_owned()), ..italy() };
    assert_eq!(rome.read("69361234").number.as_str(), "+390669361234");
    assert_eq!(rome.read("200").number.as_str(), "200");
    assert_eq!(rome.read("3331234567").number.as_str(), "+393331234567");
}

#[test]
fn an_operator_who_sends_last_digits_or_a_prefix_of_its_own_is_understood() {
    let tail = Rules { prefix: "+3906123".to_owned(), ..italy() };
    assert_eq!(tail.read_dialled("4500").number.as_str(), "+39061234500");
    assert_eq!(tail.read("3331234567").number.as_str(), "+393331234567", "callers are whole");
    let marked = Rules { strip: "9".to_owned(), ..italy() };
    assert_eq!(marked.read_dialled("9800100100").number.as_str(), "+39800100100");
    assert_eq!(marked.read_dialled("800100100").number.as_str(), "+39800100100");
}

#[test]
fn each_trunk_is_sent_its_own_form() {
    let number = italy().normal("0612345678");
    let abroad = italy().normal("+442071838750");
    for (sends, at_home, far) in [
        (Sends::E164, "+390612345678", "+442071838750"),
        (Sends::Plain, "390612345678", "442071838750"),
        (Sends::DoubleZero, "00390612345678", "00442071838750"),
        (Sends::National, "0612345678", "00442071838750"),
    ] {
        let rules = Rules { sends, ..italy() };
        assert_eq!((rules.write(&number).as_str(), rules.write(&abroad).as_str()), (at_home, far));
        assert_eq!(rules.write(&italy().normal("112")), "112", "a short code is dialled as it is");
        assert_eq!(rules.write(&italy().normal("boss")), "boss");
    }
    let marked = Rules { sends: Sends::National, send_prefix: "0#".to_owned(), ..italy() };
    assert_eq!(marked.write(&number), "0#0612345678");
}

#[test]
fn a_country_that_dials_a_zero_that_is_no_part_of_the_number_is_understood() {
    let germany = Rules { sends: Sends::National, ..Rules::of(Country::by_iso("DE").unwrap()) };
    for text in ["030123456", "+4930123456", "004930123456", "4930123456", "030123456;phone-context=+49"] {
        let number = germany.read(text).number;
        assert_eq!(number.as_str(), "+4930123456", "{text}");
        assert_eq!(germany.write(&number), "030123456");
    }
    assert_eq!(germany.read("200").number.kind(), Kind::Extension);
}

#[test]
fn the_parameters_of_a_subscriber_are_read() {
    let reading =
        italy().read("+393511234567;npdi;rn=+39331;ext=12;isub=99;cpc=ordinary;verstat=TN-Validation-Passed");
    assert_eq!(reading.number.as_str(), "+393511234567");
    assert_eq!(reading.routing.as_deref(), Some("+39331"));
    assert!(reading.looked_up);
    assert_eq!(reading.extension.as_deref(), Some("12"));
    assert_eq!(reading.subaddress.as_deref(), Some("99"));
    assert_eq!(reading.category.as_deref(), Some("ordinary"));
    assert_eq!(reading.verified.as_deref(), Some("TN-Validation-Passed"));
    let long = format!("112;rn={}", "9".repeat(1000));
    assert_eq!(italy().read(&long).routing, None);
}
