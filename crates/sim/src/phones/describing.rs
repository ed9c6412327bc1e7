//! What a phone says of its media and what comes of it: offers and answers of its own writing (RFC 3264), a dialog at a
//! time.

use super::manners::one_of;
use super::text::{Message, sdp};
use crate::Depth;
use base::Rng;
use media_api::{Codec, MasterKey, Suite};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The RTP port of a phone's first dialog.
const FIRST_PORT: u16 = 40_000;
/// How far a NAT moves ports.
const NAT_SHIFT: u16 = 10_000;
/// Behind a NAT every phone believes that it is here.
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 7, 7));
const OPUS: u8 = 111;
const EVENTS: u8 = 101;
const WIDE_EVENTS: u8 = 102;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// What secured phones speak.
const SUITE: Suite = Suite::AesCm128HmacSha1Tag80;

/// What a payload type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Speech(Codec),
    /// Telephone-events of this clock.
    Keys(u32),
}

/// What was agreed for one dialog, for whoever carries the packets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Talk {
    /// Where its packets come from and go to, as seen from outside.
    pub(crate) local: SocketAddr,
    /// Where the exchange listens.
    pub(crate) remote: SocketAddr,
    pub(crate) remote_rtcp: SocketAddr,
    /// What it sends, and by which number.
    pub(crate) speech: (u8, Codec),
    pub(crate) keys: Option<(u8, u32)>,
    /// What it understands.
    pub(crate) understood: Vec<(u8, Format)>,
    pub(crate) sends: bool,
    pub(crate) hears: bool,
    /// Its key and the exchange's.
    pub(crate) secured: Option<(MasterKey, MasterKey)>,
    pub(crate) behind_nat: bool,
}

/// The media of all dialogs of a phone. In a world without packets it writes the same few lines to everybody, and reads
/// nothing.
pub(crate) struct Sessions {
    depth: Depth,
    ip: IpAddr,
    rng: Rng,
    menu: Vec<Codec>,
    secured: bool,
    pub(crate) behind_nat: bool,
    /// The NAT has given it other ports so many times.
    rebound: u16,
    next_port: u16,
    by_call: BTreeMap<String, Session>,
    changed: BTreeSet<String>,
}

struct Session {
    port: u16,
    version: u32,
    /// What was said last, and how it is written.
    said: Option<Side>,
    /// All numbers that it ever gave: what is on its way may be by older ones.
    given: Vec<(u8, Format)>,
    text: String,
    key: Option<MasterKey>,
    /// What it wants, by its last offer.
    wanted: &'static str,
    agreed: Option<Side>,
    offered: Option<Side>,
    /// An offer of the exchange's that waits for its answer.
    open: bool,
    theirs: Option<Side>,
    /// Of the newest offer of the exchange's, and of the newest answer to one of ours.
    offer_cseq: u32,
    answer_cseq: u32,
    over: bool,
}

/// What one side has said.
#[derive(Clone, Debug)]
struct Side {
    rtp: SocketAddr,
    rtcp: SocketAddr,
    formats: Vec<(u8, Format)>,
    direction: String,
    key: Option<MasterKey>,
}

impl Sessions {
    pub(crate) fn new(depth: Depth, ip: IpAddr, mut rng: Rng) -> Sessions {
        use Codec::{G722, Opus, Pcma, Pcmu};
        let narrow: [&[Codec]; 4] = [&[Pcma, Pcmu], &[Pcmu, Pcma], &[Pcma], &[Pcmu]];
        let wide: [&[Codec]; 6] =
            [&[Pcma, Pcmu], &[Pcma], &[G722, Pcma], &[Opus, G722, Pcma, Pcmu], &[G722], &[Opus]];
        let menu = match depth {
            Depth::Audio => one_of(&mut rng, &wide),
            Depth::Packets => one_of(&mut rng, &narrow),
            Depth::Signalling => narrow[0],
        };
        let real = depth != Depth::Signalling;
        Sessions {
            depth,
            ip,
            menu: menu.to_vec(),
            secured: real && rng.chance_permille(200),
            behind_nat: real && rng.chance_permille(150),
            rng,
            rebound: 0,
            next_port: FIRST_PORT,
            by_call: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    /// The description of this version, which stays the same however often it is said: an answer, if an offer of the
    /// exchange's waits for one, and an offer otherwise.
    pub(crate) fn describe(&mut self, call_id: &str, version: u32, direction: &'static str) -> String {
        if self.depth == Depth::Signalling {
            return sdp(&self.ip.to_string(), FIRST_PORT, version, direction);
        }
        let session = self.session(call_id);
        if session.version == version && !session.open {
            session.offered = session.said.clone();
            return session.text.clone();
        }
        let answers = if session.open { session.theirs.clone() } else { None };
        let side = match &answers {
            Some(theirs) => self.answer(call_id, theirs),
            None => self.offer(call_id, direction),
        };
        let shown = if self.behind_nat { PRIVATE } else { self.ip };
        let text = side.write(shown, version);
        let Some(session) = self.by_call.get_mut(call_id) else { return text };
        (session.version, session.open) = (version, false);
        session.text.clone_from(&text);
        session.said = Some(side.clone());
        session.given.retain(|given| !side.formats.contains(given));
        session.given.splice(0..0, side.formats.iter().copied());
        match answers {
            Some(_) => session.agreed = Some(side),
            None => (session.wanted, session.offered) = (direction, Some(side)),
        }
        self.changed.insert(call_id.to_owned());
        text
    }

    /// A message of the exchange's that is new to whoever asks.
    pub(crate) fn hears(&mut self, message: &Message<'_>) {
        let (cseq, method) = message.cseq();
        if self.depth == Depth::Signalling || !matches!(method, "INVITE" | "UPDATE" | "ACK") {
            return;
        }
        let call_id = message.call_id();
        let status = message.status();
        if status.is_some_and(|status| status >= 300) {
            if let Some(session) = self.by_call.get_mut(call_id) {
                session.offered = None;
            }
            return;
        }
        let Some(theirs) = Side::read(message.body) else { return };
        let session = self.session(call_id);
        match status {
            None if cseq <= session.offer_cseq => return,
            None => (session.open, session.offer_cseq) = (true, cseq),
            Some(_) if cseq < session.answer_cseq => return,
            // The answer to an INVITE that offered nothing is an offer.
            Some(_) if session.agreed.is_none() && session.offered.is_none() => {
                (session.open, session.answer_cseq) = (true, cseq);
            }
            Some(_) => {
                session.answer_cseq = cseq;
                session.agreed = session.offered.take().or(session.agreed.take());
            }
        }
        session.theirs = Some(theirs);
        self.changed.insert(call_id.to_owned());
    }

    /// The phone refuses what the exchange offered.
    pub(crate) fn refuses(&mut self, call_id: &str) {
        if let Some(session) = self.by_call.get_mut(call_id) {
            session.open = false;
        }
    }

    /// The dialog is over: nothing is sent in it any more.
    pub(crate) fn ends(&mut self, call_id: &str) {
        if let Some(session) = self.by_call.get_mut(call_id) {
            session.over = true;
            self.changed.insert(call_id.to_owned());
        }
    }

    /// The NAT gives it other ports from now on.
    pub(crate) fn rebind(&mut self) {
        if self.behind_nat {
            self.rebound += 1;
            self.changed.extend(self.by_call.keys().cloned());
        }
    }

    /// What has changed since it was asked last, by Call-ID; nothing is left of a dialog that is over.
    pub(crate) fn take_changes(&mut self) -> Vec<(String, Option<Talk>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let told = changed.filter_map(|call_id| {
            if self.by_call.get(&call_id)?.over {
                self.by_call.remove(&call_id);
                return Some((call_id, None));
            }
            self.talk(&call_id).map(|talk| (call_id, Some(talk)))
        });
        told.collect()
    }

    fn talk(&self, call_id: &str) -> Option<Talk> {
        let session = self.by_call.get(call_id)?;
        let mut local = SocketAddr::new(self.ip, session.port);
        if self.behind_nat {
            local.set_port(session.port + NAT_SHIFT + 100 * (self.rebound % 100));
        }
        let (ours, theirs) = (session.agreed.as_ref()?, session.theirs.as_ref()?);
        let speech = theirs.formats.iter().find(|format| ours.formats.contains(format) && format.is_speech());
        let (number, Format::Speech(codec)) = *speech? else { return None };
        let clock = codec.clock_rate();
        let keys = theirs.formats.iter().filter_map(|(number, format)| match format {
            Format::Keys(clock) => Some((*number, *clock)),
            Format::Speech(_) => None,
        });
        let keys = keys.min_by_key(|(_, rate)| *rate != clock);
        Some(Talk {
            local,
            remote: theirs.rtp,
            remote_rtcp: theirs.rtcp,
            speech: (number, codec),
            keys,
            understood: session.given.clone(),
            sends: ours.sends() && theirs.hears(),
            hears: ours.hears() && theirs.sends(),
            secured: ours.key.clone().zip(theirs.key.clone()),
            behind_nat: self.behind_nat,
        })
    }

    fn session(&mut self, call_id: &str) -> &mut Session {
        let (rng, next_port) = (&mut self.rng, &mut self.next_port);
        self.by_call.entry(call_id.to_owned()).or_insert_with(|| {
            let port = *next_port;
            // Two for each dialog; those of long ago are free again.
            *next_port = FIRST_PORT + (port + 2 - FIRST_PORT) % 90;
            let bytes: Vec<u8> = (0..SUITE.master_length()).map(|_| rng.next_u32() as u8).collect();
            Session {
                port,
                version: 0,
                said: None,
                given: Vec::new(),
                text: String::new(),
                key: MasterKey::from_bytes(SUITE, &bytes),
                wanted: "sendrecv",
                agreed: None,
                offered: None,
                open: false,
                theirs: None,
                offer_cseq: 0,
                answer_cseq: 0,
                over: false,
            }
        })
    }

    fn offer(&mut self, call_id: &str, direction: &str) -> Side {
        let (menu, secured) = (self.menu.clone(), self.secured);
        let mut formats: Vec<(u8, Format)> = menu
            .iter()
            .map(|codec| (codec.static_payload_type().unwrap_or(OPUS), Format::Speech(*codec)))
            .collect();
        formats.push((EVENTS, Format::Keys(8000)));
        if menu.contains(&Codec::Opus) {
            formats.push((WIDE_EVENTS, Format::Keys(48_000)));
        }
        let session = self.session(call_id);
        // What goes on in the clear is not hidden halfway.
        let secured = session.agreed.as_ref().map_or(secured, |agreed| agreed.key.is_some());
        let key = session.key.clone().filter(|_| secured);
        let (rtp, rtcp) = session.addresses();
        Side { rtp, rtcp, formats, direction: direction.to_owned(), key }
    }

    /// The formats of the offer that the phone has, and as much of the directions as both want.
    fn answer(&mut self, call_id: &str, theirs: &Side) -> Side {
        let menu = self.menu.clone();
        let known = |(_, format): &&(u8, Format)| match format {
            Format::Speech(codec) => menu.contains(codec),
            Format::Keys(_) => true,
        };
        let formats = theirs.formats.iter().filter(known).copied().collect();
        let session = self.session(call_id);
        let key = session.key.clone().filter(|_| theirs.key.is_some());
        let sends = session.wanted.starts_with("send") && theirs.hears();
        let hears = session.wanted.ends_with("recv") || session.wanted == "recvonly";
        let hears = hears && theirs.sends();
        let direction = match (sends, hears) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        };
        let (rtp, rtcp) = session.addresses();
        Side { rtp, rtcp, formats, direction: direction.to_owned(), key }
    }
}

impl Session {
    fn addresses(&self) -> (SocketAddr, SocketAddr) {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        (at(self.port), at(self.port + 1))
    }
}

trait IsSpeech {
    fn is_speech(&self) -> bool;
}

impl IsSpeech for (u8, Format) {
    fn is_speech(&self) -> bool {
        matches!(self.1, Format::Speech(_))
    }
}

impl Side {
    fn sends(&self) -> bool {
        matches!(self.direction.as_str(), "sendrecv" | "sendonly")
    }

    fn hears(&self) -> bool {
        matches!(self.direction.as_str(), "sendrecv" | "recvonly")
    }

    fn write(&self, ip: IpAddr, version: u32) -> String {
        let numbers: Vec<String> = self.formats.iter().map(|(number, _)| number.to_string()).collect();
        let profile = if self.key.is_some() { "SAVP" } else { "AVP" };
        let mut text = format!(
            "v=0\r\no=- 7 {version} IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {} RTP/{profile} {}\r\n",
            self.rtp.port(),
            numbers.join(" ")
        );
        for (number, format) in &self.formats {
            text += &match format {
                Format::Speech(Codec::Opus) => format!("a=rtpmap:{number} opus/48000/2\r\n"),
                Format::Speech(codec) => {
                    format!("a=rtpmap:{number} {}/{}\r\n", codec.encoding(), codec.clock_rate())
                }
                Format::Keys(clock) => {
                    format!("a=rtpmap:{number} telephone-event/{clock}\r\na=fmtp:{number} 0-15\r\n")
                }
            };
        }
        if let Some(key) = &self.key {
            text += &format!("a=crypto:1 {} inline:{}\r\n", SUITE.name(), base64(key.as_bytes()));
        }
        text + "a=" + &self.direction + "\r\n"
    }

    /// What the exchange says. Nothing if there is no line of audio in it.
    fn read(body: &str) -> Option<Side> {
        let lines = || body.lines().map(str::trim_end);
        let line = |start: &str| lines().find_map(|line| line.strip_prefix(start));
        let ip: IpAddr = line("c=IN IP4 ")?.parse().ok()?;
        let mut audio = line("m=audio ")?.split(' ');
        let port: u16 = audio.next()?.parse().ok()?;
        let secured = audio.next()?.contains("SAVP");
        let rtp = SocketAddr::new(ip, port);
        let formats = audio.filter_map(|number| {
            let map = line(&format!("a=rtpmap:{number} ")).unwrap_or("");
            let clock = map.split('/').nth(1).and_then(|clock| clock.parse().ok());
            let number = number.parse().ok()?;
            let known = Codec::ALL.into_iter().find(|codec| match codec.static_payload_type() {
                Some(its) => its == number,
                None => map.starts_with(codec.encoding()),
            });
            match known {
                Some(codec) => Some((number, Format::Speech(codec))),
                None => map.starts_with("telephone-event").then_some((number, Format::Keys(clock?))),
            }
        });
        let formats = formats.collect();
        let words = ["sendrecv", "sendonly", "recvonly", "inactive"];
        let direction =
            words.into_iter().find(|word| lines().any(|line| line.strip_prefix("a=") == Some(word)));
        let key = line("a=crypto:").and_then(|line| line.split("inline:").nth(1));
        let key = key.and_then(|key| MasterKey::from_bytes(SUITE, &bytes_of(key.split('|').next()?)));
        let muxed = lines().any(|line| line == "a=rtcp-mux");
        Some(Side {
            rtp,
            rtcp: SocketAddr::new(ip, if muxed { port } else { port.saturating_add(1) }),
            formats,
            direction: direction.unwrap_or("sendrecv").to_owned(),
            key: key.filter(|_| secured),
        })
    }
}

fn base64(bytes: &[u8]) -> String {
    let sextets = bytes.chunks(3).flat_map(|three| {
        let word =
            three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letter = move |at: usize| match at <= three.len() {
            true => char::from(BASE64[(word >> (18 - 6 * at)) as usize & 63]),
            false => '=',
        };
        (0..4).map(letter).collect::<Vec<_>>()
    });
    sextets.collect()
}

fn bytes_of(text: &str) -> Vec<u8> {
    let sextets: Vec<u32> = text
        .bytes()
        .filter_map(|letter| Some(BASE64.iter().position(|known| *known == letter)? as u32))
        .collect();
    let quads = sextets.chunks(4).flat_map(|four| {
        let word = four.iter().fold(0u32, |word, sextet| word << 6 | sextet) << (6 * (4 - four.len()));
        word.to_be_bytes()[1..four.len()].to_vec()
    });
    quads.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Seed;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for length in [30, 28, 29] {
            let bytes: Vec<u8> = (0..length).map(|byte| byte * 7).collect();
            assert_eq!(bytes_of(&base64(&bytes)), bytes);
        }
        assert_eq!(base64(b"light wor"), "bGlnaHQgd29y");
    }

    fn answer(direction: &str) -> String {
        let sdp = format!(
            "v=0\r\nc=IN IP4 10.200.0.1\r\nm=audio 20002 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n\
            a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
        );
        format!("SIP/2.0 200 OK\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n{sdp}")
    }

    #[test]
    fn an_offer_counts_when_it_is_answered_and_not_when_it_is_refused() {
        let ip = IpAddr::from([10, 64, 0, 9]);
        let mut sessions = Sessions::new(Depth::Packets, ip, Seed::from_number(2).rng());
        (sessions.menu, sessions.secured, sessions.behind_nat) = (vec![Codec::Pcma], false, false);
        assert!(sessions.describe("c", 1, "sendrecv").contains("m=audio 40000 RTP/AVP 8 101"));
        assert_eq!(sessions.take_changes(), []);
        sessions.hears(&Message::read(answer("sendrecv").as_bytes()).unwrap());
        let talk = sessions.take_changes().remove(0).1.unwrap();
        assert_eq!((talk.local, talk.remote.port()), (SocketAddr::new(ip, 40_000), 20_002));
        assert!(talk.sends && talk.hears && talk.keys == Some((101, 8000)));
        sessions.describe("c", 2, "inactive");
        assert!(sessions.take_changes()[0].1.as_ref().unwrap().sends, "nothing is agreed yet");
        let refused = "SIP/2.0 488 No\r\nCall-ID: c\r\nCSeq: 2 INVITE\r\n\r\n";
        sessions.hears(&Message::read(refused.as_bytes()).unwrap());
        sessions.describe("c", 1, "sendrecv");
        let again = answer("recvonly").replace("CSeq: 1", "CSeq: 3");
        sessions.hears(&Message::read(again.as_bytes()).unwrap());
        assert!(sessions.take_changes()[0].1.as_ref().unwrap().sends, "what was refused does not count");
    }
}
