//! Encrypted media from the INVITE to the facts.

use crate::support::desk::seconds;
use crate::support::stage::*;
use engine::{Config, Input, MediaTerms, Past, PeerTerms};
use facts::{Cause, FactKind, KeyFacts, OfferEnd};
use media_api::{Command, Event, KeyExchange, KeyTerms, LegId, Offerer, Security, Suite};
use sip::negotiation::MediaSecurity;
use std::collections::BTreeMap;

const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const OTHER: &str = "QUNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";

fn with(security: MediaSecurity, keys_in_clear: bool) -> Config {
    let usual = MediaTerms { security, keys_in_clear };
    Config { media_terms: PeerTerms { usual, ..PeerTerms::default() }, ..config() }
}

fn secured(direction: &str, key: &str) -> String {
    let plain = sdp(address(9), direction).replace("RTP/AVP", "RTP/SAVP");
    format!("{plain}a=crypto:1 {SUITE} inline:{key}\r\n")
}

fn security(stage: &Stage, leg: u64) -> Vec<Security> {
    let agreed = stage.commands.iter().filter_map(|command| match command {
        Command::Configure { leg: of, stream } if *of == LegId(leg) => Some(stream.security.clone()),
        _ => None,
    });
    agreed.collect()
}

fn told(stage: &Stage) -> Vec<KeyFacts> {
    let facts = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::MediaSecured { keys, .. } => Some(keys.clone()),
        _ => None,
    });
    facts.collect()
}

#[test]
fn an_offer_with_keys_is_answered_with_a_key_and_told_without_it() {
    let mut stage = Stage::with(with(MediaSecurity::Optional, false), Past::default());
    let mut caller = Line::dial(&mut stage, address(9), "echo", &secured(SENDRECV, KEY));
    let answer = caller.accepted(&mut stage);
    caller.ack(&mut stage, "");
    assert!(
        answer.contains(" RTP/SAVP ") && answer.contains(&format!("a=crypto:1 {SUITE} inline:")),
        "{answer}"
    );
    let keys = KeyFacts { suite: SUITE.into(), exchange: "sdes".into(), offered_by: "peer".into() };
    assert_eq!(told(&stage), std::slice::from_ref(&keys));
    let ours = answer.split("inline:").nth(1).unwrap().lines().next().unwrap();
    assert!(!format!("{:?} {:?}", stage.kinds(), stage.commands).contains(ours), "no key is told or printed");
    for (key, kept) in [(KEY, true), (OTHER, false)] {
        caller.request(&mut stage, "INVITE", &secured(SENDRECV, key));
        let again = caller.accepted(&mut stage);
        caller.ack(&mut stage, "");
        assert_eq!(again.contains(ours), kept, "our key changes when the peer's does");
    }
    let agreed = security(&stage, 1);
    assert!(agreed.len() == 3 && agreed[0] == agreed[1] && agreed[1] != agreed[2]);
    assert_eq!(told(&stage).len(), 1, "the terms are the same");
    let terms =
        KeyTerms { suite: Suite::AesCm128HmacSha1Tag80, exchange: KeyExchange::Sdes, offerer: Offerer::Peer };
    let (leg, from) = (LegId(1), address(77));
    stage.input(Input::Media(Event::Unauthenticated { leg, from, report: false, packets: 3, keys: terms }));
    let failed = stage.fact(|kind| match kind {
        FactKind::MediaUnauthenticated { from, packets, rtcp, keys, .. } => {
            Some((from.clone(), *packets, *rtcp, keys.clone()))
        }
        _ => None,
    });
    assert_eq!(failed, (from.to_string(), 3, false, keys));
    caller.request(&mut stage, "BYE", "");
    stage.assert_all_is_over();
}

#[test]
fn who_must_encrypt_and_does_not_or_tells_the_key_to_everybody_is_refused() {
    for (keys_in_clear, offer, taken) in [
        (false, sdp(address(9), SENDRECV), false),
        (false, secured(SENDRECV, KEY), false),
        (true, sdp(address(9), SENDRECV), false),
        (true, secured(SENDRECV, KEY), true),
    ] {
        let mut stage = Stage::with(with(MediaSecurity::Required, keys_in_clear), Past::default());
        let mut caller = Line::dial(&mut stage, address(9), "echo", &offer);
        if taken {
            caller.accepted(&mut stage);
            caller.ack(&mut stage, "");
            continue;
        }
        let refusal = stage.expect(address(9), "SIP/2.0 488");
        assert!(header(&refusal, "Warning").starts_with("302 "), "{refusal}");
        caller.ack(&mut stage, "");
        stage.assert_all_is_over();
        assert_eq!(stage.call_ends().remove(0).cause, Cause::NoCommonMedia);
    }
}

#[test]
fn an_agent_is_offered_keys_only_where_nobody_else_reads_them() {
    for (security, keys_in_clear, expected) in [
        (MediaSecurity::Off, true, Some((" RTP/AVP ", false))),
        (MediaSecurity::Optional, false, Some((" RTP/AVP ", false))),
        (MediaSecurity::Optional, true, Some((" RTP/AVP ", true))),
        (MediaSecurity::Required, true, Some((" RTP/SAVP ", true))),
        (MediaSecurity::Required, false, None),
    ] {
        let anna = MediaTerms { security, keys_in_clear };
        let agents = BTreeMap::from([("anna".to_owned(), anna)]);
        let media_terms = PeerTerms { agents, ..PeerTerms::default() };
        let mut stage = Stage::with(Config { media_terms, ..config() }, Past::default());
        register(&mut stage, "anna", address(50));
        let _caller = caller_in_queue(&mut stage, address(9), 1);
        stage.wait(seconds(1));
        match expected {
            Some((protocol, keys)) => {
                let invite = stage.expect(address(50), "INVITE");
                assert!(invite.contains(protocol), "{invite}");
                assert_eq!(invite.contains("a=crypto:"), keys, "{invite}");
            }
            None => {
                let failed =
                    |kind: &FactKind| matches!(kind, FactKind::OfferEnded { reason: OfferEnd::Failed, .. });
                assert!(stage.count(failed) > 0, "{:?}", stage.kinds());
                let heard =
                    std::iter::from_fn(|| Some(stage.next(address(50))).filter(|text| text != "nothing"));
                assert!(heard.into_iter().all(|text| !text.starts_with("INVITE")));
            }
        }
    }
}
