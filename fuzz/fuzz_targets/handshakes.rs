#![no_main]
//! Datagrams of DTLS, made up, and those of a client that shakes hands in earnest: whole, broken, doubled, out of order and late.
//! Nothing panics or waits, no answer is longer than a datagram, few answers come to one datagram; keys are given once, are the client's, and are given
//! only to the client whose certificate was told.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use dimpl::certificate::{calculate_fingerprint, generate_self_signed_certificate};
use dimpl::{Config, Dtls, DtlsCertificate, Output};
use libfuzzer_sys::fuzz_target;
use media::HandshakePeer;
use media_api::{CertificateHash, Fingerprint, LegId, Offerer};
use net::handshakes::{Associations, MediaCertificate, Told};

const LEG: LegId = LegId(1);
/// The longest packet that any network is asked to carry.
const DATAGRAM_MAX: usize = 1500;
/// What one datagram or one timer may be answered with: a flight, and the last one again.
const ANSWERS_MAX: usize = 32;
/// What the client sends is kept no longer.
const WAITING_MAX: usize = 64;

static OURS: LazyLock<MediaCertificate> = LazyLock::new(|| MediaCertificate::draw().expect("there is chance"));
static THEIRS: LazyLock<DtlsCertificate> = LazyLock::new(|| generate_self_signed_certificate().expect("there is chance"));

/// The client, what it has sent that has not come yet, and what came last.
struct Client {
    dtls: Dtls,
    sent: VecDeque<Vec<u8>>,
    last: Vec<u8>,
    material: Option<Vec<u8>>,
}

impl Client {
    fn new(now: Instant) -> Client {
        let config = Arc::new(Config::builder().build().expect("as usual"));
        let mut dtls = Dtls::new_12(config, THEIRS.clone(), now);
        dtls.set_active(true);
        Client { dtls, sent: VecDeque::new(), last: Vec::new(), material: None }
    }

    /// The client is no part of what is tested: its own faults over what it gets are passed over.
    fn goes_on(&mut self, now: Instant, bytes: Option<&[u8]>) {
        let _ = self.dtls.handle_timeout(now);
        if let Some(bytes) = bytes {
            let _ = self.dtls.handle_packet(bytes);
        }
        let mut buffer = vec![0; 4096];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(bytes) if self.sent.len() < WAITING_MAX => self.sent.push_back(bytes.to_vec()),
                Output::KeyingMaterial(material, _) => self.material = Some(material.to_vec()),
                Output::Timeout(_) => return,
                _ => {}
            }
        }
    }

    /// What it sent next, with this done to it.
    fn next(&mut self, act: u8, by: &[u8]) -> Vec<u8> {
        let mut packet = match act {
            // The same again.
            5 => self.last.clone(),
            // The newest before the others.
            6 => self.sent.pop_back().unwrap_or_default(),
            _ => self.sent.pop_front().unwrap_or_default(),
        };
        self.last.clone_from(&packet);
        match (act, by) {
            (2, [a, b, with, ..]) if !packet.is_empty() => {
                let at = usize::from(u16::from_be_bytes([*a, *b])) % packet.len();
                packet[at] ^= with;
            }
            (3, [a, b, ..]) if !packet.is_empty() => {
                let length = usize::from(u16::from_be_bytes([*a, *b])) % packet.len();
                packet.truncate(length);
            }
            (4, more) => packet.extend_from_slice(more),
            _ => {}
        }
        packet
    }
}

fn fingerprint() -> Fingerprint {
    let hash = calculate_fingerprint(&THEIRS.certificate);
    Fingerprint::new(CertificateHash::Sha256, &hash).expect("of its length")
}

/// What we say, to the client. Gives how much it was, and whether it were keys.
fn said(ours: &mut Associations<()>, client: &mut Client, now: Instant, is_known: bool) -> bool {
    let (mut answers, mut is_keyed) = (0, false);
    while let Some((_, _, told, ())) = ours.poll() {
        match told {
            Told::Datagram(bytes) => {
                assert!(bytes.len() <= DATAGRAM_MAX, "a datagram of {} bytes", bytes.len());
                answers += 1;
                client.goes_on(now, Some(&bytes));
            }
            Told::Keys(keys) => {
                assert!(is_known && !is_keyed, "keys for whom SIP did not tell, or twice");
                is_keyed = true;
                if let Some(material) = &client.material {
                    assert!(material.starts_with(keys.theirs.key()), "keys of somebody else");
                }
            }
            Told::Failed(why) => assert!(!why.is_empty()),
            Told::Closed => {}
        }
    }
    assert!(answers <= ANSWERS_MAX, "{answers} answers at once");
    is_keyed
}

// The first byte says whether SIP has told the client's certificate. Then steps: what is to be done, a length, and so many bytes for it.
fuzz_target!(|bytes: &[u8]| {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    let mut now = Instant::now();
    let mut ours = Associations::new(&OURS, 2).expect("DTLS is spoken here");
    let is_known = first & 1 == 0;
    let fingerprints = if is_known { vec![fingerprint()] } else { Vec::new() };
    ours.begin(now, LEG, 1, Arc::new(HandshakePeer { fingerprints, offerer: Offerer::Us }), ());
    let mut client = Client::new(now);
    client.goes_on(now, None);
    let mut keyed = 0;
    while let Some(([act, length], after)) = rest.split_first_chunk() {
        let (by, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        match act % 8 {
            0 => ours.datagram(now, LEG, 1, by),
            7 => {
                now += Duration::from_millis(u64::from(by.first().copied().unwrap_or(1)) * 16);
                client.goes_on(now, None);
                if ours.due().is_some_and(|due| due <= now) {
                    ours.timeout(now);
                }
            }
            act => ours.datagram(now, LEG, 1, &client.next(act, by)),
        }
        keyed += usize::from(said(&mut ours, &mut client, now, is_known));
    }
    assert!(keyed <= 1, "keys were given {keyed} times");
    ours.end(LEG, 1);
    assert!(ours.due().is_none() && ours.poll().is_none(), "something is left");
});
