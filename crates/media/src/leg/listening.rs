//! What is listened for in a party's own speech, whatever its codec: keys that come as tones, and the tones of a network.

use audio::g711::Law;
use audio::{Decoder, Resampler, dtmf, progress};
use base::{Key, Time};
use media_api::{Codec, Event, KeysBy, Progress};
use std::time::Duration;

use super::{Leg, Route};
use crate::ear::CHANGE_MIN;
use crate::outbox::Outbox;

/// The detectors' rate.
const SAMPLE_RATE: u32 = 8000;

/// For so long the tones of a key are kept from whoever gets the key by another way: those of one device are not further
/// apart.
const KEPT_SPAN: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Listening {
    /// Where telephone-events are not agreed.
    keys: Option<Box<dtmf::Detector>>,
    /// Also while it talks with others who hear the tones.
    in_talk: bool,
    /// Until then they are not to hear them.
    kept_until: Option<Time>,
    /// Where it is asked for.
    progress: Option<progress::Detector>,
    /// Of what no table decodes.
    decoding: Option<Box<Decoding>>,
}

/// Packets as they come, put in no order: that a few are lost or turned round changes no tone.
#[derive(Debug)]
struct Decoding {
    codec: Codec,
    since: Time,
    decoder: Decoder,
    resampler: Resampler,
    decoded: Vec<i16>,
    samples: Vec<i16>,
}

/// What was heard.
enum Tone {
    Key(char),
    Progress(progress::Progress),
}

impl Listening {
    /// Keys come as tones if at all, or they do not.
    pub(super) fn expect_keys(&mut self, on: bool) {
        match on {
            true => _ = self.keys.get_or_insert_default(),
            false => self.keys = None,
        }
    }

    /// The tones of a network are listened for from now on, or no longer.
    pub(super) fn expect_progress(&mut self, on: bool) {
        self.progress = on.then(progress::Detector::default);
    }

    /// Hears a packet of speech; keys only if they are wanted now. Nothing is decoded that nobody wants.
    fn hear(&mut self, now: Time, (codec, speech): (Codec, &[u8]), wants_keys: bool, tell: impl FnMut(Tone)) {
        let Listening { keys, progress, decoding, .. } = self;
        let (keys, progress) = (keys.as_deref_mut().filter(|_| wants_keys), progress.as_mut());
        if keys.is_none() && progress.is_none() {
            return;
        }
        match Law::of(codec) {
            Some(law) => hear_tones(keys, progress, speech.iter().map(|byte| law.decode_sample(*byte)), tell),
            None => {
                let samples = Decoding::of(decoding, now, codec, speech);
                hear_tones(keys, progress, samples.iter().copied(), tell);
            }
        }
    }
}

fn hear_tones(
    keys: Option<&mut dtmf::Detector>,
    progress: Option<&mut progress::Detector>,
    samples: impl Iterator<Item = i16> + Clone,
    mut tell: impl FnMut(Tone),
) {
    if let Some(keys) = keys {
        keys.hear(samples.clone(), |key| tell(Tone::Key(key)));
    }
    if let Some(progress) = progress {
        samples.filter_map(|sample| progress.take(sample)).for_each(|tone| tell(Tone::Progress(tone)));
    }
}

impl Decoding {
    /// The samples of a packet; none if the codec changes with every packet, or cannot be read.
    fn of<'d>(known: &'d mut Option<Box<Decoding>>, now: Time, codec: Codec, speech: &[u8]) -> &'d [i16] {
        let is_other = |decoding: &Decoding| decoding.codec != codec;
        if known.as_deref().is_some_and(|known| is_other(known) && now.since(known.since) < CHANGE_MIN) {
            return &[];
        }
        if known.as_deref().is_none_or(is_other) {
            *known = Some(Box::new(Decoding::new(now, codec)));
        }
        known.as_mut().map_or(&[], |known| known.take(speech))
    }

    fn new(now: Time, codec: Codec) -> Decoding {
        let decoder = Decoder::at(codec, SAMPLE_RATE);
        let resampler = Resampler::new(decoder.sample_rate(), SAMPLE_RATE);
        Decoding { codec, since: now, decoder, resampler, decoded: Vec::new(), samples: Vec::new() }
    }

    fn take(&mut self, speech: &[u8]) -> &[i16] {
        self.decoded.clear();
        self.samples.clear();
        // What cannot be decoded has appended nothing.
        let _ = self.decoder.decode(speech, &mut self.decoded);
        self.resampler.process(&self.decoded, &mut self.samples);
        &self.samples
    }
}

impl Leg {
    /// With whom it talks, if its keys come as tones and the other one is to get them as events.
    pub(crate) fn presses_for(&self) -> Option<Key<Leg>> {
        match self.route {
            Route::Peer(peer) if self.listening.keys.is_some() && self.hears == Some(peer) => Some(peer),
            _ => None,
        }
    }

    /// Whether the party takes keys as telephone-events.
    pub(crate) fn takes_events(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.stream.digits.is_some())
    }

    /// Keys are listened for in every talk from now on, and for a moment kept from the others if they are `kept`.
    pub(crate) fn hear_keys(&mut self, now: Time, kept: bool) {
        self.listening.in_talk = true;
        if kept {
            self.listening.kept_until = Some(now + KEPT_SPAN);
        }
    }

    /// Hears what is said in tones. True if it is a key, or may become one, that another party gets by another way: that one
    /// is not to hear it too. In a room call control presses all keys on.
    ///
    /// Whoever else it talks with hears the tones: there they are listened for only if call control asks for it.
    pub(super) fn listen(
        &mut self,
        now: Time,
        speech: (Codec, &[u8]),
        is_pressed_on: bool,
        out: &mut Outbox,
    ) -> bool {
        let in_room = matches!(self.route, Route::Room(_)) && self.listening.in_talk;
        let is_kept = is_pressed_on || in_room || self.listening.kept_until.is_some_and(|until| now < until);
        let wants_keys = self.route == Route::Nobody || self.listening.in_talk || is_kept;
        let (leg, digits) = (self.id, &mut self.digits);
        self.listening.hear(now, speech, wants_keys, |tone| match tone {
            Tone::Key(digit) => {
                *digits += 1;
                out.event(Event::Digit { leg, digit, held: dtmf::HEARD_AFTER, by: KeysBy::Tones });
            }
            Tone::Progress(tone) => out.event(Event::Progress { leg, tone: told(tone) }),
        });
        is_kept && self.listening.keys.as_ref().is_some_and(|keys| keys.is_sounding())
    }
}

fn told(tone: progress::Progress) -> Progress {
    match tone {
        progress::Progress::Ringing => Progress::Ringing,
        progress::Progress::Busy => Progress::Busy,
        progress::Progress::Congestion => Progress::Congestion,
        progress::Progress::SpecialInformation => Progress::SpecialInformation,
    }
}
