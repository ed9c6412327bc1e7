//! What a phone sends and receives in one dialog: its RTP and RTCP, written and read here and shared with nobody.

use super::reports::Reports;
use super::stranger::Stranger;
use super::voices::{self, Source, Voices};
use super::wheel::{Packet, What};
use crate::phones::{Format, Talk};
use audio::Decoder;
use audio::g711::Law;
use base::{Rng, Time};
use media::PacketKind;
use media::srtp::{Opener, Sealer};
use media_api::Codec;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

/// Five packets of a press, and its end three times.
const KEY_PACKETS: u32 = 7;
const KEY_ENDS: u32 = 3;

/// Lost frames that a phone makes up for; after more it begins anew.
const CONCEALED_MAX: u16 = 6;
/// Frames of Opus after a loss that may not be what was said: each is foreseen from the one before.
const UNSETTLED: u16 = 2;
/// For so long after a loss a sound may grow in Opus: eight seconds were seen.
const GROWING: Duration = Duration::from_secs(10);

pub(crate) struct Party {
    pub(crate) phone: usize,
    pub(crate) talk: Talk,
    /// In which tick of each frame it speaks.
    pub(crate) phase: u64,
    /// It has heard a person.
    pub(crate) has_heard: bool,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    count: u32,
    keys: VecDeque<Key>,
    sealer: Option<Sealer>,
    opener: Option<Opener>,
    ear: Option<(Codec, Decoder)>,
    /// The newest number heard, and which of the 64 before it were.
    newest: Option<(u16, u64)>,
    /// Packets that should have come before the newest.
    missed: u16,
    /// Frames that may not be what was said.
    unsettled: u16,
    /// When its decoder missed something last.
    missed_at: Option<Time>,
    /// It hears more of a sound than anybody said.
    is_overgrown: bool,
    pub(crate) reports: Reports,
    /// Who sends to its port from elsewhere.
    pub(super) stranger: Option<Stranger>,
}

/// One packet of a press.
struct Key {
    press: u32,
    code: u8,
    nth: u32,
}

/// What was received.
pub(crate) enum Received {
    /// Speech of this codec, as it came.
    Speech(Codec, Vec<u8>),
    /// A key or comfort noise.
    Other,
    /// Twice, or by another key than was agreed.
    Nothing,
    /// By a number that means nothing here.
    Strange(u8),
}

impl Party {
    pub(crate) fn new(phone: usize, talk: Talk, rng: &mut Rng) -> Party {
        let mut party = Party {
            phone,
            phase: rng.below(4),
            talk: Talk { secured: None, ..talk.clone() },
            has_heard: false,
            ssrc: rng.next_u32(),
            sequence: rng.next_u32() as u16,
            timestamp: rng.next_u32(),
            count: 0,
            keys: VecDeque::new(),
            sealer: None,
            opener: None,
            ear: None,
            newest: None,
            missed: 0,
            unsettled: 0,
            missed_at: None,
            is_overgrown: false,
            reports: Reports::new(rng),
            stranger: None,
        };
        party.agree(talk);
        party
    }

    pub(crate) fn agree(&mut self, talk: Talk) {
        if talk.secured != self.talk.secured {
            let keys = talk.secured.as_ref();
            let ours = self.talk.secured.as_ref().map(|(ours, _)| ours);
            // Its key stays the same for the dialog; what it has sealed counts on.
            if ours != keys.map(|(ours, _)| ours) {
                self.sealer = keys.and_then(|(ours, _)| Sealer::new(ours));
            }
            self.opener = keys.and_then(|(_, theirs)| Opener::new(theirs, None));
        }
        self.talk = talk;
    }

    /// Presses a key, if there is a way to say so.
    pub(crate) fn press(&mut self, press: u32, digit: char) -> bool {
        let code = "0123456789*#".find(digit).filter(|_| self.talk.keys.is_some());
        self.keys.extend(
            code.into_iter()
                .flat_map(|code| (1..=KEY_PACKETS).map(move |nth| Key { press, code: code as u8, nth })),
        );
        code.is_some()
    }

    /// What it sends in its next frame of 20 ms.
    pub(crate) fn speak(&mut self, now: Time, voices: &mut Voices, number: u32) -> Option<Packet> {
        if !self.talk.sends {
            return None;
        }
        let to = self.talk.remote;
        let (payload_type, codec) = self.talk.speech;
        let step = codec.clock_rate() / 50;
        self.timestamp = self.timestamp.wrapping_add(step);
        self.count += 1;
        let key = self.keys.pop_front().zip(self.talk.keys);
        let (what, payload_type, timestamp, payload) = match key {
            Some((key, (payload_type, clock))) => {
                let begin = self.timestamp.wrapping_sub(step * (key.nth - 1));
                let held = clock / 50 * key.nth.min(KEY_PACKETS - KEY_ENDS + 1);
                let [d0, d1] = (held as u16).to_be_bytes();
                let end = u8::from(key.nth > KEY_PACKETS - KEY_ENDS) << 7;
                let first = u8::from(key.nth == 1) << 7;
                (What::Key(key.press), payload_type | first, begin, vec![key.code, end | 10, d0, d1])
            }
            None => (What::Speech, payload_type, self.timestamp, voices.says(number, codec, self.count)),
        };
        let mut bytes = vec![0x80, payload_type];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.reports.sent(now, self.timestamp, bytes.len() as u32 - 12);
        if let Some(sealer) = &mut self.sealer {
            sealer.seal(&mut bytes, 0).ok()?;
        }
        Some(Packet { kind: PacketKind::Rtp, from: self.talk.local, to, what: Some(what), bytes })
    }

    /// Its report, if one is due.
    pub(crate) fn report(&mut self, now: Time) -> Option<Packet> {
        let to = self.talk.remote_rtcp;
        let mut bytes = self.reports.write(now, self.ssrc)?;
        if let Some(sealer) = &mut self.sealer {
            sealer.seal_report(&mut bytes, 0).ok()?;
        }
        let from = SocketAddr::new(self.talk.local.ip(), self.talk.local.port() + 1);
        Some(Packet { kind: PacketKind::Rtcp, from, to, what: Some(What::Report), bytes })
    }

    /// A packet of the exchange's.
    pub(crate) fn receive(&mut self, bytes: &mut Vec<u8>) -> Received {
        if let Some(opener) = &mut self.opener {
            match opener.open(bytes) {
                Ok(length) => bytes.truncate(length),
                Err(_) => return Received::Nothing,
            }
        }
        let Some([_, second, s0, s1, _, _, _, _, r0, r1, r2, r3]) = bytes.first_chunk::<12>().copied() else {
            return Received::Nothing;
        };
        let sequence = u16::from_be_bytes([s0, s1]);
        if !self.is_new(sequence) {
            return Received::Nothing;
        }
        self.reports.received(u32::from_be_bytes([r0, r1, r2, r3]), sequence);
        let payload_type = second & 0x7f;
        let format = self.talk.understood.iter().find(|(number, _)| *number == payload_type);
        match format {
            Some((_, Format::Speech(codec))) => Received::Speech(*codec, bytes.split_off(12)),
            Some((_, Format::Keys(_))) => Received::Other,
            None if payload_type == media_api::COMFORT_NOISE => Received::Other,
            None => Received::Strange(payload_type),
        }
    }

    /// A report of the exchange's: what is wrong with it, if anything is.
    pub(crate) fn receive_report(&mut self, now: Time, bytes: &mut Vec<u8>) -> Option<String> {
        if let Some(opener) = &mut self.opener {
            match opener.open_report(bytes) {
                Ok(length) => bytes.truncate(length),
                Err(_) => return None,
            }
        }
        self.reports.take(now, bytes)
    }

    /// Who is heard in a frame.
    pub(crate) fn listen(
        &mut self,
        now: Time,
        (codec, payload): (Codec, &[u8]),
        voices: &Voices,
        expected: &[Source],
    ) -> Vec<Source> {
        if self.ear.as_ref().is_none_or(|(its, _)| *its != codec) {
            self.ear = Some((codec, Decoder::at(codec, 8000)));
            self.missed_at = None;
        }
        let missed = std::mem::take(&mut self.missed).min(CONCEALED_MAX);
        self.unsettled = match missed {
            0 => self.unsettled.saturating_sub(1),
            _ if codec == Codec::Opus => UNSETTLED,
            _ => 0,
        };
        if missed > 0 {
            self.missed_at = Some(now);
        }
        let Some((_, decoder)) = &mut self.ear else { return Vec::new() };
        let mut samples = Vec::new();
        // A decoder that is not told of what was lost foresees from what it never heard: with Opus a steady tone can grow so.
        for _ in 0..missed {
            decoder.conceal(decoder.sample_rate() as usize / 50, &mut samples);
        }
        samples.clear();
        let is_read = decoder.decode(payload, &mut samples);
        let may_grow =
            codec == Codec::Opus && self.missed_at.is_some_and(|missed| now.since(missed) < GROWING);
        self.is_overgrown = may_grow && voices::are_louder(&samples, expected.len());
        match is_read {
            Ok(_) => voices.heard(now, &samples, decoder.sample_rate(), expected),
            Err(_) => vec![Source::Nobody],
        }
    }

    /// Whether what was heard last, these, may be other than what was said.
    pub(crate) fn is_in_doubt(&self, heard: &[Source]) -> bool {
        self.is_overgrown || (heard.is_empty() && self.unsettled > 0)
    }

    /// The same where payloads are counted.
    pub(crate) fn read(codec: Codec, payload: &[u8], voices: &Voices) -> Vec<Source> {
        match Law::of(codec) {
            Some(law) => voices.counted(law, payload),
            None => vec![Source::Nobody],
        }
    }

    fn is_new(&mut self, sequence: u16) -> bool {
        let Some((newest, seen)) = &mut self.newest else {
            self.newest = Some((sequence, 1));
            return true;
        };
        let step = sequence.wrapping_sub(*newest) as i16;
        if step > 0 {
            self.missed = self.missed.saturating_add(step as u16 - 1);
            (*newest, *seen) = (sequence, seen.checked_shl(step as u32).unwrap_or(0) | 1);
            return true;
        }
        let behind = 1u64.checked_shl(u32::from(step.unsigned_abs())).unwrap_or(0);
        let is_new = behind != 0 && *seen & behind == 0;
        *seen |= behind;
        is_new
    }
}
