#![no_main]
//! STUN as anybody sends it: a message is read without panic, what is answered is no amplifier, and nothing is signed by a
//! password that the sender does not know.

use libfuzzer_sys::fuzz_target;
use stun::{Key, Message};

fuzz_target!(|bytes: &[u8]| {
    for from in ["192.0.2.1:5060", "[2001:db8::1]:5060"] {
        let from = from.parse().expect("an address");
        if let Some(answer) = stun::answer(bytes, from) {
            assert!(answer.len() <= bytes.len() + 24, "an answer is no amplifier");
            assert!(stun::answer(&answer, from).is_none(), "no two servers talk for ever");
        }
    }
    let _ = (stun::is_stun(bytes), stun::mapped_address(bytes, &[7; 12]));
    let Some(message) = Message::parse(bytes) else { return };
    let _ = (message.username(), message.priority(), message.nominates(), message.role());
    let _ = (message.mapped_address(), message.error(), message.has_fingerprint(), message.unknown().count());
    assert!(!message.is_signed_by(&Key::of("nobody was told this password")));
});
