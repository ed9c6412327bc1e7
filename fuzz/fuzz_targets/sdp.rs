#![no_main]
//! A description read, answered, and our answer read back; and the same as an answer to an offer of ours.

use libfuzzer_sys::fuzz_target;
use media_api::{Codec, Direction};
use base::Seed;
use sip::negotiation::{Abilities, Keying, MediaSecurity, Negotiation};
use sip::sdp::Sdp;

fuzz_target!(|bytes: &[u8]| {
    let local = ([10, 0, 0, 1], 4000).into();
    let keying = Keying { policy: MediaSecurity::Optional, may_tell: true, seed: Seed::from_number(1) };
    let abilities = |codecs| Abilities { keying: keying.clone(), ..Abilities::of(codecs) };
    let mut callee = Negotiation::new(1, abilities(vec![Codec::Pcma, Codec::Pcmu]));
    if let Ok((answer, _)) = callee.answer(bytes, local) {
        let (offer, answer) = (Sdp::parse(bytes).expect("it was answered"), Sdp::parse(&answer).expect("ours"));
        assert_eq!(offer.media.len(), answer.media.len(), "RFC 3264 §6: as many lines as the offer has");
    }
    let mut caller = Negotiation::new(2, abilities(vec![Codec::Pcma]));
    let _ = (caller.offer(local, Direction::SendRecv), caller.answered(bytes));
});
