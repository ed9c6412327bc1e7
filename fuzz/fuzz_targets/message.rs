#![no_main]
//! Bytes to a message, everything asked of it, and its answer read back.

use libfuzzer_sys::fuzz_target;
use sip::message::{Message, ParseError, ParseLimits};
use sip::write::{Writer, respond};

fuzz_target!(|bytes: &[u8]| {
    match Message::parse(bytes.to_vec(), &ParseLimits::default()) {
        Ok(message) => read(&message),
        Err(ParseError::BadRequest { request, .. }) => read(&request),
        Err(_) => {}
    }
});

fn read(message: &Message) {
    let _ = (message.check(), message.start(), message.from(), message.to(), message.cseq(), message.expires());
    let _ = (message.call_id(), message.max_forwards(), sip::cause::given(message), message.content_type());
    let _ = message.description();
    for via in message.vias().flatten() {
        let _ = (via.branch(), via.rport(), via.received(), via.params.are_well_formed());
    }
    for address in message.contacts().flatten().chain(message.from()).chain(message.to()) {
        let _ = (address.display(), address.tag(), address.parse_uri().map(|uri| uri.user_decoded()));
    }
    let _ = (message.routes().count(), message.record_routes().count());
    // What is written may be a little longer than what was read.
    let roomy = ParseLimits { message: 1 << 20, headers: 1 << 10, header: 1 << 17 };
    if message.is_answerable() {
        let source = ([203, 0, 113, 5], 9).into();
        assert!(Message::parse(respond(message, 400, source, Some("t")).finish(), &roomy).is_ok());
    }
    let mut writer = Writer::request("OPTIONS", message.uri().filter(|uri| !uri.is_empty()).unwrap_or("sip:a"));
    let mut fields = 0;
    for (name, value) in message.all_headers().filter(|(name, _)| !name.eq_ignore_ascii_case("l")) {
        fields += usize::from(!name.eq_ignore_ascii_case("content-length"));
        writer = writer.header(name, value);
    }
    let again = Message::parse(writer.finish(), &roomy).expect("what we write can be read");
    assert_eq!(again.all_headers().count(), fields + 1, "no value became a header field of its own");
}
