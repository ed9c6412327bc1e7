//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714): what goes out is sealed and what comes in is opened in place.
//!
//! The block cipher and GCM are those of aws-lc, HMAC-SHA1 is that of RustCrypto: each is the faster of the two here.
//! A packet costs no allocation.

mod cipher;
mod derivation;
mod index;
mod sent;

use std::fmt;

use media_api::{KeyName, MasterKey};

use crate::rtp;
use cipher::{Cipher, Tag};
use derivation::{Purpose, derive};
pub(crate) use index::{Window, first, guess};
pub use sent::Count;
use sent::Sent;

/// The trailer of SRTCP that says whether a packet is encrypted, and its number (RFC 3711 §3.4).
const ENCRYPTED: u32 = 1 << 31;
const TRAILER: usize = 4;
/// The head of RTCP that stays readable: the first word and the SSRC.
const RTCP_HEAD: usize = 8;

/// So many senders are known by one key at a time; of one more the one heard longest ago is forgotten.
const SENDERS_MAX: usize = 8;

/// Why a packet is not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no RTP or RTCP at all.
    Malformed,
    /// It came before, or is too old to tell.
    Replayed,
    /// Somebody else made it, in the clear or by another key, or it was changed on its way.
    Unauthenticated,
}

/// Seals what one source of ours sends, with one master key at a time.
pub struct Sealer {
    rtp: Cipher,
    rtcp: Cipher,
    sent: Sent,
}

impl Sealer {
    /// `None` if the suite's cipher cannot be made of the key, which no key of the right length does.
    pub fn new(master: &MasterKey) -> Option<Sealer> {
        Some(Sealer {
            rtp: derive(master, Purpose::Rtp)?,
            rtcp: derive(master, Purpose::Rtcp)?,
            sent: Sent::new(master),
        })
    }

    /// Seals with this key from now on. One that was in force before goes on from where it was. `None` as for
    /// [`Sealer::new`]; what else has sealed for this source is not known then, so no other may be made for it.
    pub fn rekeyed(mut self, master: &MasterKey, count: Count) -> Option<Sealer> {
        self.sent.rekey(master, count);
        Some(Sealer {
            rtp: derive(master, Purpose::Rtp)?,
            rtcp: derive(master, Purpose::Rtcp)?,
            sent: self.sent,
        })
    }

    /// Seals the RTP packet that begins at `start`: each number once, and of no other source than that of the first. What
    /// cannot be sealed must not be sent.
    pub fn seal(&mut self, packet: &mut Vec<u8>, start: usize) -> Result<(), Flaw> {
        let plain = packet.get_mut(start..).ok_or(Flaw::Malformed)?;
        let (header, sequence, ssrc) = head(plain).ok_or(Flaw::Malformed)?;
        let index = self.sent.enter(ssrc, sequence)?;
        let tag = self.rtp.seal_rtp(plain, header, ssrc, index).ok_or(Flaw::Malformed)?;
        packet.extend_from_slice(tag.bytes());
        Ok(())
    }

    /// Counts an RTP packet of the source that goes out in the clear, as it is agreed at the time.
    pub(crate) fn pass_over(&mut self, packet: &[u8]) {
        if let Some((_, sequence, ssrc)) = head(packet) {
            // Whatever may not be sealed is no matter here.
            let _ = self.sent.enter(ssrc, sequence);
        }
    }

    /// Seals the compound RTCP packet that begins at `start`.
    pub fn seal_report(&mut self, packet: &mut Vec<u8>, start: usize) -> Result<(), Flaw> {
        let plain = packet.get_mut(start..).ok_or(Flaw::Malformed)?;
        let ssrc = word(plain, 4).ok_or(Flaw::Malformed)?;
        let trailer = ENCRYPTED | self.sent.enter_report()?;
        let tag = self.rtcp.seal_rtcp(plain, RTCP_HEAD, ssrc, trailer).ok_or(Flaw::Malformed)?;
        if !self.rtcp.is_aead() {
            packet.extend_from_slice(&trailer.to_be_bytes());
        }
        packet.extend_from_slice(tag.bytes());
        if self.rtcp.is_aead() {
            packet.extend_from_slice(&trailer.to_be_bytes());
        }
        Ok(())
    }
}

/// Opens what the peer sends with one master key.
pub struct Opener {
    rtp: Cipher,
    rtcp: Cipher,
    name: Option<KeyName>,
    senders: [Option<Sender>; SENDERS_MAX],
    /// Counts what was opened, so that the sender heard longest ago is known.
    opened: u64,
    /// A packet as it came, while its number is being found: GCM wipes what it cannot open.
    spare: Vec<u8>,
}

/// What was heard of one source.
#[derive(Clone, Copy, Debug)]
struct Sender {
    ssrc: u32,
    heard: u64,
    /// Its newest number by the key before this one, until something by this key was opened.
    before: Option<u64>,
    speech: Option<Window>,
    reports: Option<Window>,
}

impl Opener {
    /// `name` stands in every packet, if the peer announced one. `None` as for [`Sealer::new`].
    pub fn new(master: &MasterKey, name: Option<KeyName>) -> Option<Opener> {
        Some(Opener {
            rtp: derive(master, Purpose::Rtp)?,
            rtcp: derive(master, Purpose::Rtcp)?,
            name,
            senders: [None; SENDERS_MAX],
            opened: 0,
            spare: Vec::new(),
        })
    }

    /// Opens what the same peer sends with another key. How far each of its sources has come is remembered: many let the
    /// roll-over counter go on (RFC 3711 §3.3.1), some begin anew.
    pub fn rekeyed(&self, master: &MasterKey, name: Option<KeyName>) -> Option<Opener> {
        let carried = |sender: Sender| {
            let before = sender.speech.map(|window| window.newest()).or(sender.before);
            Sender { before, speech: None, reports: None, ..sender }
        };
        let senders = self.senders.map(|place| place.map(carried));
        Some(Opener { senders, opened: self.opened, ..Opener::new(master, name)? })
    }

    /// Opens by this opener's key again, after `between`: what has come by it comes no second time, and how far each source
    /// has come meanwhile is remembered.
    pub fn returned(mut self, between: &Opener, name: Option<KeyName>) -> Opener {
        self.opened = self.opened.max(between.opened);
        for other in between.senders.iter().flatten() {
            if let Some(newest) = other.speech.map(|window| window.newest()).or(other.before) {
                self.heard(other.ssrc).before = Some(newest);
            }
        }
        self.named(name)
    }

    /// Opens what has this name of the key from now on.
    pub fn named(self, name: Option<KeyName>) -> Opener {
        Opener { name, ..self }
    }

    /// Opens an SRTP packet in place and gives the length of the RTP packet that it then begins with. A packet that is
    /// not opened may be changed, and changes nothing here.
    pub fn open(&mut self, packet: &mut [u8]) -> Result<usize, Flaw> {
        let (header, sequence, ssrc) = head(packet).ok_or(Flaw::Malformed)?;
        let sender = self.sender(ssrc);
        let (known, before) = sender.map_or((None, None), |sender| (sender.speech, sender.before));
        let expected = known.map(|window| guess(window.newest(), sequence)).filter(|_| before.is_none());
        if known.zip(expected).is_some_and(|(window, index)| window.has_seen(index)) {
            return Err(Flaw::Replayed);
        }
        let tag_length = self.rtp.rtp_tag_length();
        let (body, tag) = self.split(packet, tag_length)?;
        let length = body.len();
        if length < header {
            return Err(Flaw::Unauthenticated);
        }
        let index = match expected {
            Some(index) => self.rtp.open_rtp(body, header, ssrc, index, &tag).then_some(index),
            None => self.find(body, header, (ssrc, sequence), &tag),
        };
        let index = index.ok_or(Flaw::Unauthenticated)?;
        if known.is_some_and(|window| window.has_seen(index)) {
            return Err(Flaw::Replayed);
        }
        let sender = self.heard(ssrc);
        sender.before = None;
        sender.speech.get_or_insert_with(|| Window::new(index)).see(index);
        Ok(length)
    }

    /// Opens the first packet of a source by this key, or since it came back, and gives the number that does. Its roll-over
    /// counter is what it was by the key before; or what it was by this one; or 0; or 1, of a source that wrapped before we
    /// heard of it. The tag tells.
    fn find(
        &mut self,
        body: &mut [u8],
        header: usize,
        (ssrc, sequence): (u32, u16),
        tag: &Tag,
    ) -> Option<u64> {
        self.spare.clear();
        self.spare.extend_from_slice(body);
        let begun = [u64::from(sequence), first(sequence)];
        let sender = self.sender(ssrc);
        let by_this = sender.and_then(|sender| sender.speech).map(|window| window.newest());
        let before = sender.and_then(|sender| sender.before);
        let carried = [before, by_this].map(|newest| newest.map(|newest| guess(newest, sequence)));
        let carried = carried.into_iter().flatten().filter(|index| !begun.contains(index));
        carried.chain(begun).find(|index| {
            body.copy_from_slice(&self.spare);
            self.rtp.open_rtp(body, header, ssrc, *index, tag)
        })
    }

    /// The same for SRTCP. What is not encrypted is refused: that was not agreed.
    pub fn open_report(&mut self, packet: &mut [u8]) -> Result<usize, Flaw> {
        let ssrc = word(packet, 4).ok_or(Flaw::Malformed)?;
        let (body, tag, trailer) = self.split_report(packet)?;
        let length = body.len();
        if length < RTCP_HEAD || trailer & ENCRYPTED == 0 {
            return Err(Flaw::Unauthenticated);
        }
        let index = u64::from(trailer & !ENCRYPTED);
        let known = self.sender(ssrc).and_then(|sender| sender.reports);
        if known.is_some_and(|window| window.has_seen(index)) {
            return Err(Flaw::Replayed);
        }
        let is_theirs = self.rtcp.open_rtcp(body, RTCP_HEAD, ssrc, trailer, &tag);
        is_theirs.then_some(()).ok_or(Flaw::Unauthenticated)?;
        let sender = self.heard(ssrc);
        sender.reports.get_or_insert_with(|| Window::new(index)).see(index);
        Ok(length)
    }

    /// What is before the tag, and the tag. Between tag and cipher text, or after the tag of GCM, stands the name of the
    /// key: it must be the one that was announced.
    fn split<'p>(&self, packet: &'p mut [u8], tag: usize) -> Result<(&'p mut [u8], Tag), Flaw> {
        if self.rtp.is_aead() {
            let rest = self.without_name(packet)?;
            cut(rest, tag)
        } else {
            let (rest, tag) = cut(packet, tag)?;
            Ok((self.without_name(rest)?, tag))
        }
    }

    fn split_report<'p>(&self, packet: &'p mut [u8]) -> Result<(&'p mut [u8], Tag, u32), Flaw> {
        let tag = self.rtcp.rtcp_tag_length();
        if self.rtcp.is_aead() {
            let (rest, trailer) = cut_trailer(self.without_name(packet)?)?;
            let (body, tag) = cut(rest, tag)?;
            return Ok((body, tag, trailer));
        }
        let (rest, tag) = cut(packet, tag)?;
        let (body, trailer) = cut_trailer(self.without_name(rest)?)?;
        Ok((body, tag, trailer))
    }

    fn without_name<'p>(&self, packet: &'p mut [u8]) -> Result<&'p mut [u8], Flaw> {
        let Some(name) = self.name else { return Ok(packet) };
        let (bytes, length) = (name.to_bytes(), name.length());
        let (rest, found) = split_end(packet, length)?;
        let is_ours = bytes.get(bytes.len() - length..) == Some(&*found);
        is_ours.then_some(rest).ok_or(Flaw::Unauthenticated)
    }

    fn sender(&self, ssrc: u32) -> Option<&Sender> {
        self.senders.iter().flatten().find(|sender| sender.ssrc == ssrc)
    }

    /// The place of a source of whom something was opened.
    fn heard(&mut self, ssrc: u32) -> &mut Sender {
        self.opened += 1;
        let heard = self.opened;
        let known = self.senders.iter().position(|place| place.is_some_and(|sender| sender.ssrc == ssrc));
        let oldest = || {
            let age = |(_, place): &(usize, &Option<Sender>)| place.map_or(0, |sender| sender.heard);
            self.senders.iter().enumerate().min_by_key(age).map_or(0, |(at, _)| at)
        };
        let at = known.unwrap_or_else(oldest);
        let place = &mut self.senders[at % SENDERS_MAX];
        if known.is_none() {
            *place = None;
        }
        let sender = place.get_or_insert(Sender { ssrc, heard, before: None, speech: None, reports: None });
        sender.heard = heard;
        sender
    }
}

/// Neither prints what it knows.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener(..)")
    }
}

/// The length of an RTP header with contributing sources and extension, the sequence number and the SSRC.
fn head(packet: &[u8]) -> Option<(usize, u16, u32)> {
    let length = rtp::header_length(packet)?;
    let [_, _, q0, q1, _, _, _, _, s0, s1, s2, s3] = *packet.first_chunk::<12>()?;
    Some((length, u16::from_be_bytes([q0, q1]), u32::from_be_bytes([s0, s1, s2, s3])))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

fn split_end(packet: &mut [u8], length: usize) -> Result<(&mut [u8], &mut [u8]), Flaw> {
    let at = packet.len().checked_sub(length).ok_or(Flaw::Unauthenticated)?;
    packet.split_at_mut_checked(at).ok_or(Flaw::Unauthenticated)
}

fn cut(packet: &mut [u8], tag: usize) -> Result<(&mut [u8], Tag), Flaw> {
    let (rest, tag) = split_end(packet, tag)?;
    Ok((rest, Tag::of(tag).ok_or(Flaw::Unauthenticated)?))
}

fn cut_trailer(packet: &mut [u8]) -> Result<(&mut [u8], u32), Flaw> {
    let (rest, trailer) = split_end(packet, TRAILER)?;
    Ok((rest, word(trailer, 0).ok_or(Flaw::Unauthenticated)?))
}

#[cfg(test)]
mod tests;
