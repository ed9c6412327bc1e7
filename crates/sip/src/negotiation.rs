//! Offer and answer for one audio line of one session (RFC 3264).

use crate::sdp::{Media, Origin, RtpMap, Sdp, write};
use crate::ua::{WarnCode, Warning};
use media_api::{Codec, Digits, Direction, Family, Stream};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The payload type that we give to telephone-event when we offer first.
const DIGITS_PAYLOAD_TYPE: u8 = 101;
const DIGITS_ENCODING: &str = "telephone-event";
/// The events that we take: keys and flash (RFC 4733 §3.2).
const DIGITS_EVENTS: &str = "0-16";
const PACKET_TIME_MS: u16 = 20;
const PLAIN_RTP: &str = "RTP/AVP";

/// Why an offer or an answer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 400 if it is malformed, 488 if it is well formed but not for us.
    pub status: u16,
    /// For people.
    pub why: String,
    /// What it is about.
    pub code: WarnCode,
}

impl Refusal {
    /// It cannot be read, or is not what it should be.
    pub fn malformed(why: impl ToString) -> Refusal {
        Refusal { status: 400, why: why.to_string(), code: WarnCode::Other }
    }

    fn not_acceptable(code: WarnCode, why: impl ToString) -> Refusal {
        Refusal { status: 488, why: why.to_string(), code }
    }

    /// As a Warning header says it (RFC 3261 §20.43).
    pub fn warning(&self) -> Warning {
        Warning::new(self.code, self.why.clone())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.why, self.status)
    }
}

impl std::error::Error for Refusal {}

/// The state of offer and answer of one session: what was said last, and what is in force.
#[derive(Clone, Debug)]
pub struct Negotiation {
    session: u64,
    /// In our order of preference.
    codecs: Vec<Codec>,
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
    let (_, audio, ..) = Negotiation::new(0, vec![Codec::Pcma, Codec::Pcmu]).choose(&sdp, None).ok()?;
    audio.address.filter(|_| !audio.is_held_by_address()).map(Family::of)
}

impl Negotiation {
    /// A session without any media yet. `session_number` stands in the origin line; `codecs` are in our
    /// order of preference.
    pub fn new(session_number: u64, codecs: Vec<Codec>) -> Negotiation {
        Negotiation {
            session: session_number,
            codecs,
            written: None,
            offered: None,
            refused: Vec::new(),
            refused_before: 0,
            stream: None,
        }
    }

    /// An offer of all our codecs, the one in force first, to be received at `local`. `direction` is ours.
    /// The origin's version rises only if the text changes (RFC 3264 §8).
    pub fn offer(&mut self, local: SocketAddr, direction: Direction) -> Vec<u8> {
        let in_force = self.stream.as_ref().map(|stream| (stream.codec, stream.payload_type));
        let others = self.codecs.iter().filter(|codec| in_force.is_none_or(|(used, _)| used != **codec));
        // A payload type keeps its meaning as long as the session lives (RFC 3264 §8.3.2).
        let formats: Vec<(u8, Codec)> = in_force
            .into_iter()
            .map(|(codec, payload_type)| (payload_type, codec))
            .chain(others.filter_map(|codec| Some((codec.static_payload_type()?, *codec))))
            .collect();
        let digits = match &self.stream {
            Some(Stream { digits: Some(agreed), .. }) => agreed.payload_type,
            _ => (DIGITS_PAYLOAD_TYPE..)
                .find(|free| formats.iter().all(|(used, _)| used != free))
                .unwrap_or(DIGITS_PAYLOAD_TYPE),
        };
        let media = audio(local, &formats, Some(digits), direction);
        self.offered = Some(direction);
        self.say(local.ip(), media)
    }

    /// The answer to `offer`, to be received at `local`, and what is in force from now on: the first of the
    /// offer's codecs that we have, and the mirror of the offer's direction.
    pub fn answer(&mut self, offer: &[u8], local: SocketAddr) -> Result<(Vec<u8>, Stream), Refusal> {
        self.answer_by(offer, local, None)
    }

    /// As [`answer`](Negotiation::answer), but takes `prefer` if it is offered: so that two legs of a call
    /// need no transcoding.
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
        if !theirs.is_plain_audio() {
            return Err(Refusal::not_acceptable(WarnCode::MediaType, "the answer refuses the audio line"));
        }
        let stream = self
            .codec_answered(ours, theirs)
            .ok_or_else(|| {
                Refusal::not_acceptable(WarnCode::MediaFormat, "the answer has no codec that was offered")
            })
            .and_then(|(codec, payload_type)| stream_to(theirs, codec, payload_type, digits_of(ours)))?;
        let stream = Stream { direction: both(direction, stream.direction), ..stream };
        self.stream = Some(stream.clone());
        Ok(stream)
    }

    /// What is in force.
    pub fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    fn answer_by(
        &mut self,
        offer: &[u8],
        local: SocketAddr,
        prefer: Option<Codec>,
    ) -> Result<(Vec<u8>, Stream), Refusal> {
        let sdp = Sdp::parse(offer).map_err(Refusal::malformed)?;
        let (at, theirs, codec, payload_type) = self.choose(&sdp, prefer)?;
        let stream = stream_to(theirs, codec, payload_type, None)?;
        let remote = stream.remote.ip();
        if !remote.is_unspecified() && remote.is_ipv4() != local.ip().to_canonical().is_ipv4() {
            return Err(Refusal::not_acceptable(
                WarnCode::NetworkAddress,
                format!("{remote} cannot be reached from {local}"),
            ));
        }
        let media = audio(
            local,
            &[(payload_type, codec)],
            stream.digits.map(|digits| digits.payload_type),
            stream.direction,
        );
        self.refused_before = at;
        self.refused =
            sdp.media.into_iter().enumerate().filter(|(line, _)| *line != at).map(refusal).collect();
        self.offered = None;
        self.stream = Some(stream.clone());
        Ok((self.say(local.ip(), media), stream))
    }

    /// The first audio line that has a codec of ours, and that codec.
    fn choose<'o>(
        &self,
        offer: &'o Sdp,
        prefer: Option<Codec>,
    ) -> Result<(usize, &'o Media, Codec, u8), Refusal> {
        let mut plain_audio = false;
        for (at, media) in offer.media.iter().enumerate().filter(|(_, media)| media.is_plain_audio()) {
            plain_audio = true;
            let ours =
                || media.payload_types().filter_map(|number| Some((self.codec_of(media, number)?, number)));
            let preferred = ours().find(|(codec, _)| Some(*codec) == prefer);
            if let Some((codec, payload_type)) = preferred.or_else(|| ours().next()) {
                return Ok((at, media, codec, payload_type));
            }
        }
        Err(match plain_audio {
            true => {
                let why = "none of the offered codecs is one of ours: PCMA, PCMU";
                Refusal::not_acceptable(WarnCode::MediaFormat, why)
            }
            false if offer.media.iter().any(Media::is_encrypted_audio) => {
                let why = "only encrypted audio (SRTP: RTP/SAVP) is offered, and SRTP is not spoken here yet: \
                           switch it off for this peer, or let it offer RTP/AVP, too";
                Refusal::not_acceptable(WarnCode::Transport, why)
            }
            false => {
                let why = "no line of audio over plain RTP (RTP/AVP) is offered";
                Refusal::not_acceptable(WarnCode::MediaType, why)
            }
        })
    }

    fn codec_of(&self, media: &Media, payload_type: u8) -> Option<Codec> {
        self.codecs.iter().copied().find(|codec| media.stands_for(payload_type, codec.encoding()))
    }

    /// The first codec of an answer that we offered.
    fn codec_answered(&self, ours: &Media, theirs: &Media) -> Option<(Codec, u8)> {
        theirs.payload_types().find_map(|number| {
            // A number of ours means what we said, even if the answer does not repeat its rtpmap.
            let named = theirs.maps.iter().any(|map| map.payload_type == number);
            self.codec_of(if named { theirs } else { ours }, number)
                .filter(|_| named || ours.payload_types().any(|offered| offered == number))
                .map(|codec| (codec, number))
        })
    }

    /// Writes a description with our audio line where it stood before, between the refused ones.
    fn say(&mut self, connection: IpAddr, audio: Media) -> Vec<u8> {
        let mut media = self.refused.clone();
        media.insert(self.refused_before.min(media.len()), audio);
        let sdp = Sdp { media };
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

/// Our audio line.
fn audio(local: SocketAddr, formats: &[(u8, Codec)], digits: Option<u8>, direction: Direction) -> Media {
    let map = |payload_type, encoding: &str| RtpMap {
        payload_type,
        encoding: encoding.to_owned(),
        clock: 8000,
        channels: 1,
    };
    let maps: Vec<RtpMap> = formats
        .iter()
        .map(|(payload_type, codec)| map(*payload_type, codec.encoding()))
        .chain(digits.map(|payload_type| map(payload_type, DIGITS_ENCODING)))
        .collect();
    Media {
        kind: "audio".to_owned(),
        port: local.port(),
        protocol: PLAIN_RTP.to_owned(),
        formats: maps.iter().map(|map| map.payload_type.to_string()).collect(),
        address: Some(local.ip()),
        direction,
        maps,
        parameters: digits.map(|digits| (digits, DIGITS_EVENTS.to_owned())).into_iter().collect(),
        packet_time_ms: Some(PACKET_TIME_MS),
        rtcp: None,
    }
}

/// The answer to a line that we do not take (RFC 3264 §6): its kind, protocol and formats with port 0.
fn refusal((_, offered): (usize, Media)) -> Media {
    Media {
        port: 0,
        address: None,
        direction: Direction::Inactive,
        maps: Vec::new(),
        parameters: Vec::new(),
        packet_time_ms: None,
        rtcp: None,
        ..offered
    }
}

/// The payload type of telephone-event in a line.
fn digits_of(media: &Media) -> Option<u8> {
    media.payload_types().find(|number| media.stands_for(*number, DIGITS_ENCODING))
}

/// What is agreed by the peer's line, seen from our side. `offered_digits` is the number that we gave to
/// telephone-event, for answers that name it without its rtpmap.
fn stream_to(
    theirs: &Media,
    codec: Codec,
    payload_type: u8,
    offered_digits: Option<u8>,
) -> Result<Stream, Refusal> {
    let ip = theirs
        .address
        .ok_or_else(|| {
            Refusal::not_acceptable(
                WarnCode::NetworkAddress,
                "the audio line has no connection line with an IP address",
            )
        })?
        .to_canonical();
    let unmapped_digits = || offered_digits.filter(|number| theirs.payload_types().any(|n| n == *number));
    let (rtcp_port, rtcp_ip) = theirs.rtcp.unwrap_or((theirs.port.saturating_add(1), None));
    let direction = mirrored(theirs.direction);
    Ok(Stream {
        remote_rtcp: SocketAddr::new(rtcp_ip.map_or(ip, |ip| ip.to_canonical()), rtcp_port),
        digits: digits_of(theirs)
            .or_else(unmapped_digits)
            .map(|payload_type| Digits { payload_type, clock_rate: 8000 }),
        direction: if theirs.is_held_by_address() { both(direction, Direction::RecvOnly) } else { direction },
        packet_time: packet_time(theirs.packet_time_ms),
        ..Stream::plain(SocketAddr::new(ip, theirs.port), codec, payload_type)
    })
}

/// Whole tens of milliseconds from 10 to 60: what telephones send.
fn packet_time(asked_ms: Option<u16>) -> Duration {
    let tens = asked_ms.unwrap_or(PACKET_TIME_MS) / 10;
    Duration::from_millis(u64::from(tens.clamp(1, 6)) * 10)
}

/// What the peer calls sending is receiving for us.
fn mirrored(theirs: Direction) -> Direction {
    match theirs {
        Direction::SendOnly => Direction::RecvOnly,
        Direction::RecvOnly => Direction::SendOnly,
        same => same,
    }
}

/// What both allow.
fn both(one: Direction, two: Direction) -> Direction {
    let sends = |direction| matches!(direction, Direction::SendRecv | Direction::SendOnly);
    let receives = |direction| matches!(direction, Direction::SendRecv | Direction::RecvOnly);
    match (sends(one) && sends(two), receives(one) && receives(two)) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}
