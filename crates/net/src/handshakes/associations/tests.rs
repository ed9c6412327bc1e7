//! Handshakes with a client of the same library, in time that only the tests move.

use super::*;
use crate::handshakes::association::TIME_TO_SHAKE;
use base::Seed;
use dimpl::{Dtls, Output};
use media_api::{Fingerprint, Keys, Offerer, Suite};

const LEG: LegId = LegId(1);
/// Who wants to know.
const SHARD: &str = "a shard";
const OTHER_SHARD: &str = "another shard";
/// One way.
const WAY: Duration = Duration::from_millis(20);

/// A browser's end.
struct Browser {
    dtls: Dtls,
    certificate: MediaCertificate,
    /// Key and salt in the order of the exporter, if it has them.
    material: Option<Vec<u8>>,
    is_closed: bool,
    error: Option<dimpl::Error>,
}

impl Browser {
    fn new(now: Instant) -> Browser {
        let certificate = MediaCertificate::draw().unwrap();
        let config = Arc::new(Config::builder().flight_start_rto(FIRST_WAIT).build().unwrap());
        let mut dtls = Dtls::new_12(config, certificate.to_dtls(), now);
        dtls.set_active(true);
        Browser { dtls, certificate, material: None, is_closed: false, error: None }
    }

    fn go_on(&mut self, now: Instant, bytes: Option<&[u8]>) -> Vec<Vec<u8>> {
        let gone_on = self.dtls.handle_timeout(now);
        let gone_on = gone_on.and_then(|()| bytes.map_or(Ok(()), |bytes| self.dtls.handle_packet(bytes)));
        self.error = gone_on.err().or(self.error.take());
        let (mut sent, mut buffer) = (Vec::new(), vec![0; 2048]);
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(bytes) => sent.push(bytes.to_vec()),
                Output::KeyingMaterial(material, _) => self.material = Some(material.to_vec()),
                Output::CloseNotify => self.is_closed = true,
                Output::Timeout(_) => return sent,
                _ => {}
            }
        }
    }
}

/// Our end, the browser's, and what is on its way between them.
struct Wire {
    now: Instant,
    ours: Associations<&'static str>,
    browser: Browser,
    /// When it arrives, whether at us.
    on_the_way: Vec<(Instant, bool, Vec<u8>)>,
    told: Vec<Told>,
    /// All that the browser sent.
    sent: Vec<Vec<u8>>,
}

impl Wire {
    fn new() -> Wire {
        let now = Instant::now();
        let ours = Associations::new(&MediaCertificate::draw().unwrap(), 10).unwrap();
        let browser = Browser::new(now);
        Wire { now, ours, browser, on_the_way: Vec::new(), told: Vec::new(), sent: Vec::new() }
    }

    fn begin(&mut self, number: u32) {
        let fingerprints = vec![self.browser.certificate.fingerprint().clone()];
        self.begin_with(number, fingerprints);
    }

    fn begin_with(&mut self, number: u32, fingerprints: Vec<Fingerprint>) {
        let peer = HandshakePeer { fingerprints, offerer: Offerer::Peer };
        self.ours.begin(self.now, LEG, number, Arc::new(peer), SHARD);
    }

    /// Lets this much time pass. `fate` says of each packet after how long it arrives, and how often.
    fn pass(&mut self, span: Duration, fate: &mut dyn FnMut() -> Vec<Duration>) {
        const STEP: Duration = Duration::from_millis(5);
        let end = self.now + span;
        while self.now < end {
            self.now += STEP;
            self.step(fate);
        }
    }

    fn step(&mut self, fate: &mut dyn FnMut() -> Vec<Duration>) {
        let mut arrived: Vec<_> = self.on_the_way.extract_if(.., |(at, ..)| *at <= self.now).collect();
        arrived.sort_by_key(|(at, ..)| *at);
        let mut said = Vec::new();
        for (_, is_ours, bytes) in arrived {
            match is_ours {
                true => self.ours.datagram(self.now, LEG, 1, &bytes),
                false => said.extend(self.browser.go_on(self.now, Some(&bytes))),
            }
        }
        said.extend(self.browser.go_on(self.now, None));
        self.ours.timeout(self.now);
        for bytes in said {
            self.sent.push(bytes.clone());
            self.on_the_way.extend(fate().into_iter().map(|after| (self.now + after, true, bytes.clone())));
        }
        while let Some((leg, _, told, _)) = self.ours.poll() {
            assert_eq!(leg, LEG);
            match told {
                Told::Datagram(bytes) => {
                    let copies = fate().into_iter();
                    self.on_the_way.extend(copies.map(|after| (self.now + after, false, bytes.to_vec())));
                }
                told => self.told.push(told),
            }
        }
    }

    fn keys(&self) -> Vec<&Keys> {
        let keys = self.told.iter().filter_map(|told| match told {
            Told::Keys(keys) => Some(&**keys),
            _ => None,
        });
        keys.collect()
    }

    fn failures(&self) -> Vec<&str> {
        let why = self.told.iter().filter_map(|told| match told {
            Told::Failed(why) => Some(why.as_str()),
            _ => None,
        });
        why.collect()
    }
}

fn whole() -> Vec<Duration> {
    vec![WAY]
}

#[test]
fn both_ends_have_the_same_keys_after_two_round_trips() {
    let mut wire = Wire::new();
    wire.begin(1);
    wire.pass(4 * WAY + Duration::from_millis(25), &mut whole);
    let keys = wire.keys();
    assert_eq!(keys.len(), 1, "{:?}", wire.told);
    assert_eq!(keys[0].ours.suite(), Suite::AesGcm256);
    let material = wire.browser.material.clone().unwrap();
    assert_eq!(keys[0].theirs.key(), &material[..32], "the client writes with the first");
    assert_eq!(keys[0].ours.key(), &material[32..64]);
    assert_eq!([keys[0].theirs.salt(), keys[0].ours.salt()].concat(), material[64..]);
}

#[test]
fn packets_that_are_lost_doubled_and_disordered_cost_time_and_nothing_else() {
    let mut keyed = 0;
    for seed in 0..40 {
        let mut rng = Seed::from_number(seed).rng();
        let mut wire = Wire::new();
        wire.begin(1);
        wire.pass(TIME_TO_SHAKE - Duration::from_secs(1), &mut || {
            let copies = if rng.below(100) < 20 { 0 } else { 1 + usize::from(rng.below(100) < 20) };
            (0..copies).map(|_| WAY + Duration::from_millis(rng.below(60))).collect()
        });
        assert!(wire.keys().len() <= 1, "{seed}: {:?}", wire.told);
        if let [keys] = wire.keys()[..] {
            assert_eq!(keys.theirs.key(), &wire.browser.material.as_ref().unwrap()[..32], "{seed}");
            keyed += 1;
        }
    }
    assert!(keyed >= 38, "with a fifth lost each way, {keyed} of 40");
}

#[test]
fn a_certificate_that_sip_did_not_tell_gets_no_keys_and_the_reason_names_it() {
    let mut wire = Wire::new();
    wire.begin_with(1, vec![MediaCertificate::draw().unwrap().fingerprint().clone()]);
    wire.pass(Duration::from_secs(2), &mut whole);
    assert!(wire.keys().is_empty());
    let why = wire.failures();
    assert_eq!(why.len(), 1);
    assert!(why[0].contains(&wire.browser.certificate.fingerprint().to_string()), "{why:?}");
    assert_eq!((wire.ours.due(), wire.browser.material), (None, None));
}

#[test]
fn one_of_several_told_certificates_is_enough() {
    let mut wire = Wire::new();
    let other = MediaCertificate::draw().unwrap().fingerprint().clone();
    wire.begin_with(1, vec![other, wire.browser.certificate.fingerprint().clone()]);
    wire.pass(Duration::from_secs(1), &mut whole);
    assert_eq!(wire.keys().len(), 1);
}

#[test]
fn nonsense_and_replays_neither_help_nor_harm() {
    let mut rng = Seed::from_number(7).rng();
    let mut wire = Wire::new();
    wire.begin(1);
    for round in 0..200 {
        let mut nonsense: Vec<u8> = (0..rng.below(1400)).map(|_| rng.below(256) as u8).collect();
        if let Some(first) = nonsense.first_mut() {
            *first = 20 + (round % 44) as u8;
        }
        wire.ours.datagram(wire.now, LEG, 1, &nonsense);
    }
    wire.pass(Duration::from_secs(1), &mut whole);
    assert_eq!(wire.keys().len(), 1, "{:?}", wire.told);
    for bytes in wire.sent.clone() {
        for _ in 0..3 {
            wire.ours.datagram(wire.now, LEG, 1, &bytes);
        }
        // The same, cut and changed.
        wire.ours.datagram(wire.now, LEG, 1, &bytes[..bytes.len() / 2]);
        let mut changed = bytes.clone();
        let at = rng.below(bytes.len() as u64) as usize;
        changed[at] ^= 0xff;
        wire.ours.datagram(wire.now, LEG, 1, &changed);
    }
    wire.pass(Duration::from_secs(1), &mut whole);
    assert_eq!((wire.keys().len(), wire.failures().len()), (1, 0), "{:?}", wire.told);
}

#[test]
fn a_flood_of_hellos_is_one_handshake_and_a_few_answers() {
    let mut wire = Wire::new();
    wire.begin(1);
    let mut answers = 0;
    for _ in 0..500 {
        let mut stranger = Browser::new(wire.now);
        for hello in stranger.go_on(wire.now, None) {
            wire.ours.datagram(wire.now, LEG, 1, &hello);
        }
        while let Some((.., told, _)) = wire.ours.poll() {
            answers += usize::from(matches!(told, Told::Datagram(_)));
        }
    }
    assert!(answers <= 30, "{answers} packets for 500 hellos");
    assert!(wire.ours.of.len() <= 1);
}

#[test]
fn a_peer_that_closes_is_told_once_and_forgotten() {
    let mut wire = Wire::new();
    wire.begin(1);
    wire.pass(Duration::from_secs(1), &mut whole);
    wire.browser.dtls.close().unwrap();
    wire.pass(Duration::from_secs(1), &mut whole);
    assert!(matches!(wire.told[..], [Told::Keys(_), Told::Closed]), "{:?}", wire.told);
    assert_eq!(wire.ours.due(), None);
}

#[test]
fn who_never_begins_or_never_ends_is_told_so_in_time() {
    for is_begun in [false, true] {
        let mut wire = Wire::new();
        wire.begin(1);
        if is_begun {
            let hello = wire.browser.go_on(wire.now, None);
            hello.iter().for_each(|hello| wire.ours.datagram(wire.now, LEG, 1, hello));
        }
        wire.pass(TIME_TO_SHAKE + Duration::from_secs(1), &mut Vec::new);
        let why = wire.failures();
        assert_eq!(why.len(), 1);
        assert_eq!(why[0].contains("firewall before it"), !is_begun, "{why:?}");
        assert_eq!(wire.ours.due(), None);
    }
}

#[test]
fn a_new_handshake_voids_the_one_before_and_what_is_over_the_limit_is_refused() {
    let mut wire = Wire::new();
    wire.begin(1);
    wire.begin(2);
    let hello = wire.browser.go_on(wire.now, None);
    wire.ours.datagram(wire.now, LEG, 1, &hello[0]);
    assert!(wire.ours.poll().is_none(), "the first is void");
    wire.ours.end(LEG, 1);
    wire.ours.datagram(wire.now, LEG, 2, &hello[0]);
    assert!(matches!(wire.ours.poll(), Some((LEG, 2, Told::Datagram(_), SHARD))));
    for leg in 2..=10 {
        let peer = HandshakePeer { fingerprints: Vec::new(), offerer: Offerer::Us };
        wire.ours.begin(wire.now, LegId(leg), 1, Arc::new(peer), SHARD);
    }
    while let Some((.., told, _)) = wire.ours.poll() {
        assert!(matches!(told, Told::Datagram(_)), "{told:?}");
    }
    let peer = HandshakePeer { fingerprints: Vec::new(), offerer: Offerer::Us };
    wire.ours.begin(wire.now, LegId(11), 1, Arc::new(peer), SHARD);
    assert!(matches!(wire.ours.poll(), Some((LegId(11), 1, Told::Failed(_), SHARD))));
    wire.ours.end(LegId(10), 1);
    assert_eq!(wire.ours.of.len(), 9);
}

#[test]
fn who_takes_a_leg_over_is_told_the_last_word_of_its_handshake_again() {
    let mut wire = Wire::new();
    wire.begin(1);
    wire.ours.tell(LEG, OTHER_SHARD);
    assert!(wire.ours.poll().is_none(), "there is no word yet");
    wire.pass(Duration::from_secs(1), &mut whole);
    wire.ours.tell(LEG, SHARD);
    let Some((LEG, 1, Told::Keys(again), SHARD)) = wire.ours.poll() else { panic!("no keys again") };
    assert_eq!(wire.keys(), [&*again]);
    wire.browser.dtls.close().unwrap();
    wire.pass(Duration::from_secs(1), &mut whole);
    wire.ours.tell(LEG, OTHER_SHARD);
    assert!(matches!(wire.ours.poll(), Some((LEG, 1, Told::Closed, OTHER_SHARD))));
    wire.ours.end(LEG, 1);
    wire.ours.tell(LEG, SHARD);
    assert!(wire.ours.poll().is_none(), "it is no longer needed");
}

#[test]
fn who_takes_a_leg_over_is_told_of_its_failure_again() {
    let mut wire = Wire::new();
    wire.begin_with(1, vec![MediaCertificate::draw().unwrap().fingerprint().clone()]);
    wire.pass(Duration::from_secs(2), &mut whole);
    wire.ours.tell(LEG, OTHER_SHARD);
    assert!(matches!(wire.ours.poll(), Some((LEG, 1, Told::Failed(_), OTHER_SHARD))));
    wire.begin(2);
    wire.ours.tell(LEG, SHARD);
    assert!(wire.ours.poll().is_none(), "nothing has become of the next");
}

#[test]
fn an_end_is_also_that_of_what_came_before_it_and_never_of_what_came_after() {
    for (number, before) in [(2, 1), (0, u32::MAX)] {
        let mut wire = Wire::new();
        wire.begin(number);
        wire.ours.end(LEG, before);
        assert_eq!(wire.ours.of.len(), 1, "{number} after {before}");
        wire.begin(before);
        wire.ours.end(LEG, number);
        assert_eq!((wire.ours.of.len(), wire.ours.due()), (0, None), "{before} before {number}");
    }
}
