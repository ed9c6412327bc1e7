//! Offer and answer for one audio line of one session (RFC 3264).

mod agreement;
mod direction;
mod formats;
mod handshaking;
mod keying;
mod lines;
mod numbers;
mod opus;
mod packet_time;
mod refusal;

use self::numbers::Numbers;
use crate::sdp::{Crypto, Media, Origin, Sdp, Web, write};
use crate::ua::WarnCode;
use media_api::{Codec, Direction, Family, Opus, Payload, Security, Stream};
use std::net::{IpAddr, SocketAddr};

use self::handshaking::Restart;

pub use self::handshaking::Handshaking;
pub use self::keying::{Keying, MediaSecurity};
pub use self::refusal::Refusal;

/// What we can do in one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// In our order of preference.
    pub codecs: Vec<Codec>,
    /// Whether silence may be left out where both sides know comfort noise (RFC 3389).
    pub comfort_noise: bool,
    /// How we want to be sent Opus.
    pub opus: Opus,
    /// How media is encrypted.
    pub keying: Keying,
    /// How browsers find and know us, if they are spoken with.
    pub handshaking: Option<Handshaking>,
}

impl Abilities {
    /// These codecs, in our order of preference, every silence sent as it is, and nothing encrypted.
    pub fn of(codecs: Vec<Codec>) -> Abilities {
        let (keying, opus) = (Keying::off(), opus::ours());
        Abilities { codecs, comfort_noise: false, opus, keying, handshaking: None }
    }
}

/// The state of offer and answer of one session: what was said last, and what is in force.
#[derive(Clone, Debug)]
pub struct Negotiation {
    session: u64,
    abilities: Abilities,
    /// At which other address we are reached, for those who look for us.
    also_at: Option<IpAddr>,
    numbers: Numbers,
    /// What we wrote last.
    written: Option<Written>,
    /// Our last offer, until the peer offers. It may be answered more than once: provisionally in a 183,
    /// then in the 200.
    offered: Option<Direction>,
    /// The peer's media lines that we refused, which every later description has to repeat (RFC 3264 §8).
    refused: Vec<Media>,
    /// How many of them stand before the audio line.
    refused_before: usize,
    stream: Option<Stream>,
    /// How often we have begun to look for the peer anew.
    restarts: u32,
    /// The next offer is to do that.
    is_restart: bool,
}

#[derive(Clone, Debug)]
struct Written {
    origin: Origin,
    connection: IpAddr,
    sdp: Sdp,
}

/// The family of the address at which the audio of an offer is to be heard; nothing if it does not say: the unspecified
/// address, as RFC 2543 holds with, is of none.
pub fn offered_family(offer: &[u8]) -> Option<Family> {
    let sdp = Sdp::parse(offer).ok()?;
    let mut any = Negotiation::new(0, Abilities::of(Codec::ALL.to_vec()));
    any.abilities.keying = Keying { policy: MediaSecurity::Optional, ..Keying::off() };
    let (_, audio, ..) = any.choose(&sdp, None).ok()?;
    audio.address.filter(|address| !address.is_unspecified()).map(Family::of)
}

impl Negotiation {
    /// A session without any media yet. `session_number` stands in the origin line.
    pub fn new(session_number: u64, abilities: Abilities) -> Negotiation {
        Negotiation {
            session: session_number,
            abilities,
            also_at: None,
            numbers: Numbers::default(),
            written: None,
            offered: None,
            refused: Vec::new(),
            refused_before: 0,
            stream: None,
            restarts: 0,
            is_restart: false,
        }
    }

    /// The next offer to a browser gives it new names, by which it looks for us anew (an ICE restart, RFC 8445 §9). What is in
    /// force stays so until it is answered.
    pub fn restart(&mut self) {
        (self.restarts, self.is_restart) = (self.restarts + 1, true);
    }

    /// From the next description on we want to be sent Opus as the party wants it that what comes is passed on to; as we want
    /// it ourselves if there is none.
    pub fn ask_for_opus(&mut self, for_another: Option<Opus>) {
        self.abilities.opus = for_another.unwrap_or_else(opus::ours);
    }

    /// How the peer wants to be sent Opus, if that is in force.
    pub fn opus(&self) -> Option<Opus> {
        self.stream.as_ref().filter(|stream| stream.codec == Codec::Opus).map(|stream| stream.opus)
    }

    /// How the peer wants to be sent Opus if it has this offer answered so.
    pub fn offered_opus(&self, offer: &[u8]) -> Option<Opus> {
        let sdp = Sdp::parse(offer).ok()?;
        let (_, media, _) = self.choose(&sdp, None).ok()?;
        let (_, number) = self.ours_of(media).find(|(codec, _)| *codec == Codec::Opus)?;
        Some(opus::read(media.parameters_of(number)))
    }

    /// How media is encrypted from the next description on.
    pub fn set_keying(&mut self, keying: Keying) {
        self.abilities.keying = keying;
    }

    /// How browsers find and know us from the next description on, if they are spoken with.
    pub fn set_handshaking(&mut self, handshaking: Option<Handshaking>) {
        self.abilities.handshaking = handshaking;
    }

    /// Browsers are told from the next description on that the address of the description is not the only one by which our
    /// socket is reached: which of the two holds for them depends on where they are.
    pub fn reach_also_at(&mut self, address: Option<IpAddr>) {
        self.also_at = address;
    }

    /// Whether an offer can be made: where media must be encrypted, keys must not stand where others read them. The line of
    /// a browser holds none.
    pub fn can_offer(&self) -> bool {
        let offers = self.abilities.handshaking.as_ref().is_some_and(|handshaking| handshaking.offers);
        offers || self.abilities.keying.can_offer()
    }

    /// An offer of all our codecs, the one in force first, to be received at `local`. `direction` is ours.
    /// The origin's version rises only if the text changes (RFC 3264 §8).
    pub fn offer(&mut self, local: SocketAddr, direction: Direction) -> Vec<u8> {
        let formats = self.offered_formats();
        self.offered = Some(direction);
        let is_restart = std::mem::take(&mut self.is_restart);
        let line = self.written.as_ref().and_then(|written| written.sdp.media.get(self.refused_before));
        let (keys, web) = match self.offered_web(local, line, is_restart) {
            Some(web) => ((handshaking::PROTOCOL.to_owned(), Vec::new()), web),
            None => (self.abilities.keying.offer(self.stream.as_ref(), line), Web::default()),
        };
        let bundle = web.mid.clone();
        let media =
            Media { web, ..lines::audio(local, (&formats, &self.abilities.opus), direction, true, keys) };
        self.say(local.ip(), media, bundle)
    }

    /// The answer to `offer`, to be received at `local`, and what is in force from now on: the first of the
    /// offer's codecs that we have, and the mirror of the offer's direction.
    pub fn answer(&mut self, offer: &[u8], local: SocketAddr) -> Result<(Vec<u8>, Stream), Refusal> {
        self.answer_by(offer, local, None)
    }

    /// As [`answer`](Negotiation::answer), but takes `prefer` if it is offered, or else what costs least to make of it:
    /// so that two legs of a call need no transcoding.
    pub fn answer_preferring(
        &mut self,
        offer: &[u8],
        local: SocketAddr,
        prefer: Codec,
    ) -> Result<(Vec<u8>, Stream), Refusal> {
        self.answer_by(offer, local, Some(prefer))
    }

    /// Takes the peer's answer to our last offer. A refused answer changes nothing.
    pub fn answered(&mut self, answer: &[u8]) -> Result<Stream, Refusal> {
        let (Some(direction), Some(written)) = (self.offered, &self.written) else {
            return Err(Refusal::malformed("there is no offer that this would answer"));
        };
        let sdp = Sdp::parse(answer).map_err(Refusal::malformed)?;
        if sdp.media.len() != written.sdp.media.len() {
            return Err(Refusal::malformed("the answer has not as many media lines as the offer"));
        }
        let (Some(ours), Some(theirs)) =
            (written.sdp.media.get(self.refused_before), sdp.media.get(self.refused_before))
        else {
            return Err(Refusal::malformed("the answer has no audio line"));
        };
        let security = match handshaking::is_browsers(ours) {
            true if sdp.ice_lite => return Err(handshaking::nobody_looks()),
            true => Security::Handshake(Box::new(handshaking::taken(ours, theirs)?)),
            false => self.abilities.keying.answered(ours, theirs)?,
        };
        let stream = agreement::by_answer(ours, theirs)?;
        let speakers = handshaking::speakers(&security, theirs);
        let direction = direction::both(direction, stream.direction);
        let stream = Stream { direction, speakers, security, ..stream };
        self.stream = Some(stream.clone());
        Ok(stream)
    }

    /// The codecs of an offer that an answer of ours could take, the peer's best first.
    pub fn common_codecs(&self, offer: &[u8]) -> Vec<Codec> {
        let Ok(sdp) = Sdp::parse(offer) else { return Vec::new() };
        let Ok((_, media, _)) = self.choose(&sdp, None) else { return Vec::new() };
        let mut common = Vec::new();
        for (codec, _) in self.ours_of(media) {
            if !common.contains(&codec) {
                common.push(codec);
            }
        }
        common
    }

    /// What is in force.
    pub fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// All that we offer: the codec in force first, then the others in our order, then comfort noise and the
    /// telephone-events of every clock among them.
    fn offered_formats(&mut self) -> Vec<(u8, Payload)> {
        let in_force = self.stream.as_ref().map(|stream| stream.codec);
        let others = self.abilities.codecs.iter().copied().filter(|codec| in_force != Some(*codec));
        let codecs: Vec<Codec> = in_force.into_iter().chain(others).collect();
        let mut clocks: Vec<u32> = Vec::new();
        for codec in &codecs {
            if !clocks.contains(&codec.clock_rate()) {
                clocks.push(codec.clock_rate());
            }
        }
        let noise = self.abilities.comfort_noise && clocks.contains(&8000);
        let speech = codecs.into_iter().map(Payload::Speech);
        let noise = noise.then_some(Payload::ComfortNoise);
        let digits = clocks.into_iter().map(|clock_rate| Payload::Digits { clock_rate });
        let payloads = speech.chain(noise).chain(digits);
        payloads.filter_map(|payload| Some((self.numbers.of(payload)?, payload))).collect()
    }

    fn answer_by(
        &mut self,
        offer: &[u8],
        local: SocketAddr,
        prefer: Option<Codec>,
    ) -> Result<(Vec<u8>, Stream), Refusal> {
        let sdp = Sdp::parse(offer).map_err(Refusal::malformed)?;
        let (at, theirs, chosen) = self.choose(&sdp, prefer)?;
        let stream = agreement::by_offer(theirs, chosen, self.abilities.comfort_noise)?;
        let also = self.stream.as_ref().map(|before| agreement::left_of(before, &stream)).unwrap_or_default();
        let (security, crypto, web) = self.secured(theirs, &sdp.media, local)?;
        let speakers = handshaking::speakers(&security, theirs);
        let stream = Stream { speakers, security, also, ..stream };
        let remote = stream.remote.ip();
        // Who looks for us has more addresses than the one that stands there.
        let looks = matches!(stream.security, Security::Handshake(_));
        if looks && sdp.ice_lite {
            return Err(handshaking::nobody_looks());
        }
        if !looks && !remote.is_unspecified() && remote.is_ipv4() != local.ip().to_canonical().is_ipv4() {
            return Err(Refusal::not_acceptable(
                WarnCode::NetworkAddress,
                format!("{remote} cannot be reached from {local}"),
            ));
        }
        let formats = agreement::answered_formats(&stream);
        theirs.payload_types().for_each(|number| {
            self.numbers.take(number, formats::payload_of(theirs, number));
        });
        // Of two numbers for the same, that of the answer holds.
        formats.iter().for_each(|(number, payload)| self.numbers.take(*number, Some(*payload)));
        let keys = (theirs.protocol.clone(), crypto.into_iter().collect());
        let bundle = web.mid.clone().filter(|mid| sdp.bundle.contains(mid));
        let formats = (formats.as_slice(), &self.abilities.opus);
        let media = Media { web, ..lines::audio(local, formats, stream.direction, stream.rtcp_mux, keys) };
        self.refused_before = at;
        let others = sdp.media.into_iter().enumerate().filter(|(line, _)| *line != at);
        self.refused = others.map(|(_, line)| lines::refused(line)).collect();
        self.offered = None;
        self.stream = Some(stream.clone());
        Ok((self.say(local.ip(), media, bundle), stream))
    }

    /// What the line of our offer says to a browser, if it is for one. `line` is what we wrote last.
    fn offered_web(&self, local: SocketAddr, line: Option<&Media>, is_restart: bool) -> Option<Web> {
        let handshaking = self.abilities.handshaking.as_ref()?;
        let anew = Err(Restart(self.restarts));
        let ours = match self.stream.as_ref().map(|stream| &stream.security) {
            Some(Security::Handshake(_)) if is_restart => anew,
            Some(Security::Handshake(agreed)) => Ok(&**agreed),
            None if handshaking.offers => anew,
            Some(Security::Plain | Security::Keyed(_)) | None => return None,
        };
        handshaking.offered_web(ours, line.map(|line| &line.web), (local, self.also_at))
    }

    /// What protects the media if this line is taken, and what our answer says of it.
    fn secured(
        &self,
        theirs: &Media,
        lines: &[Media],
        local: SocketAddr,
    ) -> Result<(Security, Option<Crypto>, Web), Refusal> {
        let handshaking = self.abilities.handshaking.as_ref();
        let in_force = match self.stream.as_ref().map(|stream| &stream.security) {
            Some(Security::Handshake(agreed)) => Some(&**agreed),
            Some(Security::Plain | Security::Keyed(_)) | None => None,
        };
        let agreed = handshaking.and_then(|ours| Some((ours, ours.answer(theirs, in_force)?)));
        if let Some((ours, agreed)) = agreed {
            let web = ours.answered_web(theirs, &agreed, (local, self.also_at));
            return Ok((Security::Handshake(Box::new(agreed)), None, web));
        }
        let keyed = self.abilities.keying.answer(theirs, self.stream.as_ref());
        let (security, crypto) = keyed.ok_or_else(|| self.refusal_of(lines))?;
        Ok((security, crypto, Web::default()))
    }

    /// Why none of the audio lines of an offer could be taken, if it is for their security.
    fn refusal_of(&self, lines: &[Media]) -> Refusal {
        match lines.iter().find(|line| handshaking::is_browsers(line)) {
            Some(line) => handshaking::refusal(line, self.abilities.handshaking.is_some()),
            None => self.abilities.keying.refusal(lines),
        }
    }

    /// The first audio line that has a codec of ours, and that codec with its number.
    fn choose<'o>(
        &self,
        offer: &'o Sdp,
        prefer: Option<Codec>,
    ) -> Result<(usize, &'o Media, (Codec, u8)), Refusal> {
        let handshaking = self.abilities.handshaking.as_ref();
        let rank = |line: &Media| match handshaking.is_some_and(|ours| ours.takes(line)) {
            true => Some(0),
            false => self.abilities.keying.rank(line),
        };
        let lines = offer.media.iter().enumerate();
        let mut lines: Vec<_> = lines.filter_map(|(at, line)| Some((rank(line)?, at, line))).collect();
        lines.sort_by_key(|(rank, ..)| *rank);
        for (_, at, media) in &lines {
            // The first of those that are equally near.
            let cost = |(codec, _): &(Codec, u8)| prefer.map(|prefer| prefer.distance(*codec));
            if let Some(chosen) = self.ours_of(media).min_by_key(cost) {
                return Ok((*at, *media, chosen));
            }
        }
        if lines.is_empty() {
            return Err(self.refusal_of(&offer.media));
        }
        let ours: Vec<&str> = self.abilities.codecs.iter().map(|codec| codec.encoding()).collect();
        let why = format!("none of the offered codecs is one of ours: {}", ours.join(", "));
        Err(Refusal::not_acceptable(WarnCode::MediaFormat, why))
    }

    /// The codecs of a line that we have, with their numbers.
    fn ours_of(&self, media: &Media) -> impl Iterator<Item = (Codec, u8)> {
        let speech = formats::payloads(media).filter_map(|(number, payload)| match payload {
            Payload::Speech(codec) => Some((codec, number)),
            Payload::Digits { .. } | Payload::ComfortNoise => None,
        });
        speech.filter(|(codec, _)| self.abilities.codecs.contains(codec))
    }

    /// Writes a description with our audio line where it stood before, between the refused ones; and alone in the bundle
    /// if it is in one.
    fn say(&mut self, connection: IpAddr, audio: Media, bundle: Option<String>) -> Vec<u8> {
        let ice_lite = audio.web.ice_ufrag.is_some();
        let mut media = self.refused.clone();
        media.insert(self.refused_before.min(media.len()), audio);
        let sdp = Sdp { media, bundle: bundle.into_iter().collect(), ice_lite };
        let origin = match &self.written {
            None => Origin { session: self.session, version: 1, address: connection },
            Some(last) if last.sdp == sdp && last.connection == connection => last.origin,
            Some(last) => Origin { version: last.origin.version + 1, ..last.origin },
        };
        let text = write(&origin, connection, &sdp);
        self.written = Some(Written { origin, connection, sdp });
        text.into_bytes()
    }
}
