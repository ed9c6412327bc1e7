//! Who calls, in every shape in which operators say it, and what is believed of whom.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use sip::identity::{DiversionReason, Identity, Policy, Shown, Source, shown};
use sip::message::{Message, ParseLimits};

fn invite(from: &str, more: &str) -> Message {
    let text = format!(
        "INVITE sip:800100100@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: {from};tag=1\r\nTo: <sip:800100100@192.0.2.9>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
         Max-Forwards: 70\r\n{more}\r\n"
    );
    Message::parse(text.into_bytes(), &ParseLimits::default()).unwrap()
}

fn of(from: &str, more: &str) -> Identity {
    Identity::of(&invite(from, more), Policy::TRUSTED)
}

const FROM: &str = "\"Ada\" <sip:+393331234567@op.example;user=phone>";
const HIDDEN: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

#[test]
fn the_best_word_on_who_calls_counts() {
    let pai = "P-Asserted-Identity: <sip:+39061@op.example>\r\n";
    let rpid = "Remote-Party-ID: \"R\" <sip:+39062@op.example>;party=calling;screen=yes;privacy=off\r\n";
    let called = "Remote-Party-ID: <sip:+39069@op.example>;party=called\r\n";
    let ppi = "P-Preferred-Identity: <sip:+39063@op.example>\r\n";
    let both = "P-Asserted-Identity: \"Body\" <sip:office@op.example>, <tel:+39-06-4>\r\n";
    for (from, more, user, source) in [
        (FROM, String::new(), "+393331234567", Source::From),
        (FROM, pai.to_owned(), "+39061", Source::Asserted),
        (FROM, format!("{ppi}{rpid}"), "+39062", Source::RemoteParty),
        (FROM, called.to_owned(), "+393331234567", Source::From),
        (FROM, ppi.to_owned(), "+39063", Source::Preferred),
        (FROM, format!("{rpid}{pai}{ppi}"), "+39061", Source::Asserted),
        (FROM, both.to_owned(), "+39-06-4", Source::Asserted),
        ("<tel:3331234567;phone-context=+39>", String::new(), "3331234567;phone-context=+39", Source::From),
        ("<sip:192.0.2.1>", pai.to_owned(), "+39061", Source::Asserted),
        ("<sip:%2B39333@op.example>", String::new(), "+39333", Source::From),
        (FROM, "P-Asserted-Identity: <sip:op.example>\r\n".to_owned(), "+393331234567", Source::From),
        (FROM, "P-Asserted-Identity: \"open <sip:a@b\r\n".to_owned(), "+393331234567", Source::From),
    ] {
        let identity = of(from, &more);
        let caller = identity.shown().unwrap();
        assert_eq!((caller.user.as_str(), identity.source), (user, source), "{from} {more}");
    }
    assert_eq!(of(FROM, both).shown().unwrap().display.as_deref(), Some("Body"));
}

#[test]
fn a_peer_that_is_not_trusted_is_asked_for_from_alone() {
    let more = "P-Asserted-Identity: <sip:+39061@op.example>\r\nDiversion: <sip:boss@op.example>\r\n";
    let identity = Identity::of(&invite(FROM, more), Policy::UNTRUSTED);
    assert_eq!(identity.shown().unwrap().user, "+393331234567");
    assert_eq!((identity.source, identity.diversions.len()), (Source::From, 0));
}

#[test]
fn a_trunk_may_name_the_header_field_that_counts() {
    let more = "P-Asserted-Identity: <sip:+39061@op.example>\r\n";
    let only = |source| Policy { trusted: true, caller_from: Some(source) };
    for (source, user) in
        [(Source::From, "+393331234567"), (Source::Asserted, "+39061"), (Source::Preferred, "+393331234567")]
    {
        let identity = Identity::of(&invite(FROM, more), only(source));
        assert_eq!(identity.shown().unwrap().user, user, "{source:?}");
    }
}

#[test]
fn who_does_not_want_to_be_known_is_known_to_us_alone() {
    let pai = "P-Asserted-Identity: <sip:+393511234567@op.example>\r\n";
    for (from, more, withheld) in [
        (FROM, "Privacy: id\r\n", true),
        (FROM, "Privacy: user;header;critical\r\n", true),
        (FROM, "Privacy: critical,id\r\n", true),
        (FROM, "Privacy: session\r\n", false),
        (FROM, "Privacy: none\r\n", false),
        (FROM, "", false),
        (HIDDEN, "", true),
        (HIDDEN, "Privacy: id\r\n", true),
        // An explicit wish to be shown counts more than how an exchange filled From.
        (HIDDEN, "Privacy: none\r\n", false),
        ("<sip:Anonymous@op.example>", "", true),
        ("<sip:restricted@op.example>", "", true),
        ("<sip:unavailable@unknown.invalid>", "", true),
        ("<sip:op.example>", "", false),
    ] {
        let identity = of(from, &format!("{pai}{more}"));
        assert_eq!(identity.withheld, withheld, "{from} {more}");
        assert_eq!(identity.caller.unwrap().user, "+393511234567", "the operator is told it all the same");
    }
    let old = "Remote-Party-ID: <sip:+39062@op.example>;privacy=full\r\n";
    assert!(of(FROM, old).withheld);
    let nobody = of(HIDDEN, "");
    assert!(nobody.withheld && nobody.caller.is_none() && nobody.from.is_none());
    assert!(of("<sip:192.0.2.1>", "").withheld, "who names nobody is nobody");
}

#[test]
fn diversions_are_told_from_the_first_to_the_last() {
    let more = "Diversion: <sip:+39062@op>;reason=no-answer;counter=2, <tel:+39061>;reason=unconditional\r\n\
                Diversion: \"x\" <sip:+39060@op>;privacy=full;reason=\"user-busy\"\r\n";
    let identity = of(FROM, more);
    let told: Vec<_> = identity
        .diversions
        .iter()
        .map(|by| (by.by.as_ref().map(|party| party.user.as_str()), by.reason.as_str(), by.count))
        .collect();
    assert_eq!(
        told,
        [(None, "user-busy", 1), (Some("+39061"), "unconditional", 1), (Some("+39062"), "no-answer", 2)]
    );
}

#[test]
fn a_history_tells_who_sent_the_call_on_and_why() {
    let more = "History-Info: <sip:+39061@op>;index=1\r\n\
        History-Info: <sip:+39062@op;cause=302>;index=1.1;mp=1, \
        <sip:+39063@op;cause=486?Privacy=history>;index=1.1.1;mp=1.1\r\n\
        History-Info: <sip:800100100@192.0.2.9;cause=408>;index=1.1.1.1;mp=1.1.1\r\n";
    let told: Vec<_> =
        of(FROM, more).diversions.into_iter().map(|by| (by.by.map(|party| party.user), by.reason)).collect();
    assert_eq!(
        told,
        [
            (Some("+39061".to_owned()), DiversionReason::Unconditional),
            (Some("+39062".to_owned()), DiversionReason::UserBusy),
            (None, DiversionReason::NoAnswer),
        ]
    );
    // A history without a diversion leaves the word to Diversion.
    let plain = "History-Info: <sip:+39061@op>;index=1\r\nDiversion: <sip:+39065@op>\r\n";
    assert_eq!(of(FROM, plain).diversions.len(), 1);
}

#[test]
fn what_the_application_sends_along_is_kept_within_bounds() {
    let sent = |value: &str| of(FROM, &format!("User-to-User: {value}\r\n")).user_to_user;
    let data = sent("56a390f3;encoding=hex;purpose=isdn-uui;content=isdn-uui").unwrap();
    assert_eq!(
        (data.data.as_str(), data.encoding.as_str(), data.purpose.as_str()),
        ("56a390f3", "hex", "isdn-uui")
    );
    assert_eq!(sent("\"ticket 17\";encoding=text").unwrap().data, "ticket 17");
    assert_eq!(sent(&"0".repeat(513)), None);
    assert_eq!(sent(";encoding=hex"), None);
}

#[test]
fn a_hostile_invite_makes_nothing_large() {
    let many = |header: &str, value: &str| format!("{header}: {value}\r\n").repeat(12);
    let long = format!("<sip:{}@op>", "9".repeat(2000));
    let more = [
        many("Diversion", &long),
        many("History-Info", "<sip:a@op;cause=302>;index=1"),
        many("P-Asserted-Identity", &long),
        many("Identity", "aaa.bbb.ccc;info=<https://x>"),
    ]
    .concat();
    let identity = of(FROM, &more);
    assert_eq!(identity.diversions.len(), 10);
    assert_eq!(identity.passports.len(), 4);
    assert_eq!(identity.caller.unwrap().user.len(), 256);
}

#[test]
fn we_show_our_number_and_who_sent_the_call_on() {
    let fields = |what: Shown<'_>| -> Vec<String> {
        shown(what).into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
    };
    let own = Shown { host: "ente.example", asserted: Some("+39061234567"), ..Shown::default() };
    assert_eq!(fields(own), ["P-Asserted-Identity: <sip:+39061234567@ente.example;user=phone>"]);
    assert_eq!(fields(Shown { withheld: true, ..own })[1], "Privacy: id");
    let by = Some(("+39061234567", DiversionReason::Unconditional));
    let sent_on = Shown { host: "ente.example", diverted_by: by, ..Shown::default() };
    assert_eq!(
        fields(sent_on),
        ["Diversion: <sip:+39061234567@ente.example;user=phone>;reason=unconditional;counter=1;privacy=off"]
    );
    let history = fields(Shown { history_to: Some("3331234567"), ..sent_on });
    let read = of(FROM, &format!("{}\r\n", history.join("\r\n")));
    assert_eq!(read.diversions[0].by.as_ref().unwrap().user, "+39061234567");
    assert_eq!(read.diversions[0].reason, DiversionReason::Unconditional);
}
