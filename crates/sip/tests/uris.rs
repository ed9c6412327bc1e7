//! URIs: their parts, and the tables of equal and unequal ones of RFC 3261 §19.1.4.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use sip::uri::{Host, Scheme, Uri, UriError};

#[test]
fn the_parts_of_a_uri_are_told_apart() {
    let uri = Uri::parse("sips:al%69ce%40x;day=mon:p%3Aw@[2001:db8::1]:5061;lr;maddr=10.0.0.1?Subject=a&b=c")
        .unwrap();
    assert_eq!(uri.scheme(), Scheme::Sips);
    assert_eq!(uri.user(), Some("al%69ce%40x;day=mon"));
    assert_eq!(uri.user_decoded().as_deref(), Some("alice@x;day=mon"));
    assert_eq!(uri.password(), Some("p%3Aw"));
    assert_eq!((uri.host(), uri.port()), (Some(Host::V6("2001:db8::1".parse().unwrap())), Some(5061)));
    assert_eq!((uri.param("LR"), uri.param("maddr"), uri.param("x")), (Some(""), Some("10.0.0.1"), None));
    assert_eq!(uri.headers(), Some("Subject=a&b=c"));

    let host = |text| Uri::parse(text).unwrap().host().unwrap().to_string();
    assert_eq!(host("sip:Example.COM"), "Example.COM");
    assert_eq!(host("sip:u@192.0.2.1:5060"), "192.0.2.1");
    assert_eq!(host("sip:[2001:db8::10:5070]"), "[2001:db8::10:5070]");
    let number = Uri::parse("tel:+39-06-1234;phone-context=x").unwrap();
    assert_eq!((number.scheme(), number.user(), number.host()), (Scheme::Tel, Some("+39-06-1234"), None));
    let other = Uri::parse("urn:service:sos").unwrap();
    assert_eq!((other.scheme(), other.as_str()), (Scheme::Other, "urn:service:sos"));
    // A NUL that was escaped does not end the user part (RFC 4475 §3.1.1.4).
    assert_eq!(Uri::parse("sip:null-%00-null@h").unwrap().user_decoded().as_deref(), Some("null-\0-null"));
    assert_eq!(Uri::parse("sip:50%@h").unwrap().user_decoded().as_deref(), Some("50%"));
}

#[test]
fn what_is_no_uri_says_why() {
    let table = [
        ("", UriError::NoScheme),
        ("alice", UriError::NoScheme),
        ("sip:", UriError::NoScheme),
        ("1sip:a", UriError::NoScheme),
        ("sip:a b@h", UriError::ForbiddenCharacter),
        ("<sip:a@h>", UriError::ForbiddenCharacter),
        ("sip:a@h\r\n", UriError::ForbiddenCharacter),
        ("sip:@h", UriError::EmptyUser),
        ("sip::pw@h", UriError::EmptyUser),
        ("sip:a@", UriError::Host),
        ("sip:a@h:", UriError::Host),
        ("sip:a@h:65536", UriError::Host),
        ("sip:a@h:+5060", UriError::Host),
        ("sip:a@h@i", UriError::Host),
        ("sip:2001:db8::10", UriError::Host),
        ("sip:[2001:db8::g]", UriError::Host),
        ("sip:[2001:db8::1", UriError::Host),
        ("sip:h;;lr", UriError::Params),
        ("sip:h;=x", UriError::Params),
        ("tel:", UriError::NoScheme),
        ("tel:anna", UriError::Number),
        ("tel:+", UriError::Number),
    ];
    for (text, why) in table {
        assert_eq!(Uri::parse(text).map(|uri| uri.as_str()), Err(why), "{text:?}");
    }
}

#[test]
fn the_equal_uris_of_the_rfc_are_equal_both_ways() {
    let equal = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("SIP:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"),
        ("tel:+39-06.(12)34", "tel:+39061234"),
        ("urn:service:sos", "urn:service:sos"),
    ];
    for (one, two) in equal {
        let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
        assert!(one == two, "{one} {two}");
        assert!(two == one, "{two} {one}");
    }
}

#[test]
fn the_unequal_uris_of_the_rfc_are_unequal_both_ways() {
    let unequal = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        // Not transitive: each equals sip:carol@chicago.com, but not the other.
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "sip:h"),
        ("sip:a:p@h", "sip:a@h"),
        ("sip:a%3Ab@h", "sip:a:b@h"),
        ("sip:a@h;user=phone", "sip:a@h"),
        ("sip:a@h;maddr=1.2.3.4", "sip:a@h"),
        ("sip:a@h?x=1&x=2", "sip:a@h?x=1"),
        ("tel:112;phone-context=+39", "tel:112;phone-context=+49"),
        ("tel:1234", "tel:12345"),
    ];
    for (one, two) in unequal {
        let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
        assert!(one != two, "{one} {two}");
        assert!(two != one, "{two} {one}");
    }
}
