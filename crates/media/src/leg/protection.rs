//! SRTP on a leg: what is sent is sealed, what comes in is opened or reaches nobody, and the first that is not what it
//! should be is told.

use std::net::SocketAddr;
use std::time::Duration;

use base::Time;
use media_api::{Event, Keys, LegId, Security};

use crate::api::PacketKind;
use crate::outbox::Outbox;
use crate::srtp::{Flaw, Opener, Sealer};

/// Longer packets are nobody's speech.
const LENGTH_MAX: usize = 1600;

/// How long packets by the key before are still taken: they overtake, and are overtaken by, the answer that changes it.
const OLD_KEY_SPAN: Duration = Duration::from_secs(5);

/// A party whose packets go on failing is told of once in this time.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What protects a leg.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    keyed: Option<Box<Keyed>>,
    /// Nothing passes: there are no keys yet.
    is_closed: bool,
    unauthenticated: u64,
    untold: u64,
    told_at: Option<Time>,
}

#[derive(Debug)]
struct Keyed {
    keys: Keys,
    /// `None` if no cipher can be made of the keys: then nothing passes.
    sealer: Option<Sealer>,
    opener: Option<Opener>,
    before: Option<(Opener, Time)>,
}

impl Protection {
    /// A new agreement. What stays the same keeps its counts; a peer's new key takes the place of the old one, which
    /// is believed for a while.
    pub(super) fn agree(&mut self, now: Time, security: &Security) {
        self.is_closed = matches!(security, Security::Handshake(_));
        let Security::Keyed(keys) = security else {
            self.keyed = None;
            return;
        };
        let before = self.keyed.take();
        if before.as_ref().is_none_or(|before| before.keys.terms() != keys.terms()) {
            // What failed by other terms says nothing of these.
            self.told_at = None;
        }
        self.keyed = Some(Box::new(match before {
            Some(before) => before.rekeyed(now, keys),
            None => Keyed {
                sealer: Sealer::new(&keys.ours),
                opener: Opener::new(&keys.theirs, keys.their_name),
                before: None,
                keys: (**keys).clone(),
            },
        }));
    }

    /// The packet as the party wrote it: itself, or what comes out of it in `room`.
    pub(crate) fn open<'p>(
        &mut self,
        now: Time,
        is_report: bool,
        packet: &'p [u8],
        room: &'p mut Vec<u8>,
    ) -> Result<&'p [u8], Flaw> {
        if self.is_closed {
            return Err(Flaw::Malformed);
        }
        let Some(keyed) = &mut self.keyed else { return Ok(packet) };
        if packet.len() > LENGTH_MAX {
            return Err(Flaw::Malformed);
        }
        keyed.before.take_if(|(_, until)| *until <= now);
        let opened = match open_by(keyed.opener.as_mut(), is_report, packet, room) {
            Err(Flaw::Unauthenticated) if keyed.before.is_some() => {
                open_by(keyed.before.as_mut().map(|(opener, _)| opener), is_report, packet, room)
            }
            opened => opened,
        };
        let length = opened.inspect_err(|flaw| {
            if *flaw == Flaw::Unauthenticated {
                self.unauthenticated += 1;
                self.untold += 1;
            }
        })?;
        room.get(..length).ok_or(Flaw::Malformed)
    }

    /// Tells of a packet that failed, if that is not told already.
    pub(super) fn complain(
        &mut self,
        now: Time,
        leg: LegId,
        (report, from): (bool, SocketAddr),
        out: &mut Outbox,
    ) {
        let Some(keyed) = self.keyed.as_ref().filter(|_| self.untold > 0) else { return };
        if self.told_at.is_some_and(|told_at| now - told_at < TELL_EVERY) {
            return;
        }
        self.told_at = Some(now);
        out.event(Event::Unauthenticated {
            leg,
            from,
            report,
            packets: std::mem::take(&mut self.untold),
            keys: keyed.keys.terms(),
        });
    }

    /// Sends the RTP packet that `write` appends, sealed.
    pub(super) fn send(
        &mut self,
        out: &mut Outbox,
        (leg, socket, to): (LegId, PacketKind, SocketAddr),
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        out.send(leg, socket, to, |packets| self.write_sealed(packets, write, Sealer::seal));
    }

    /// The same for a report.
    pub(super) fn send_report(
        &mut self,
        out: &mut Outbox,
        (leg, socket, to): (LegId, PacketKind, SocketAddr),
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        out.send(leg, socket, to, |packets| self.write_sealed(packets, write, Sealer::seal_report));
    }

    /// What cannot be sealed is taken away: in the clear it must not go.
    fn write_sealed(
        &mut self,
        packets: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
        seal: impl FnOnce(&mut Sealer, &mut Vec<u8>, usize) -> Result<(), Flaw>,
    ) {
        let start = packets.len();
        write(packets);
        let Some(keyed) = &mut self.keyed else {
            if self.is_closed {
                packets.truncate(start);
            }
            return;
        };
        if keyed.sealer.as_mut().is_none_or(|sealer| seal(sealer, packets, start).is_err()) {
            packets.truncate(start);
        }
    }

    /// How many packets failed.
    pub(super) fn unauthenticated(&self) -> u64 {
        self.unauthenticated
    }
}

impl Keyed {
    fn rekeyed(self, now: Time, keys: &Keys) -> Keyed {
        let same_ours = self.keys.ours == keys.ours;
        let same_theirs = self.keys.theirs == keys.theirs && self.keys.their_name == keys.their_name;
        let sealer = if same_ours { self.sealer } else { Sealer::new(&keys.ours) };
        let (opener, before) = if same_theirs {
            (self.opener, self.before)
        } else {
            let fresh = Opener::new(&keys.theirs, keys.their_name);
            (fresh, self.opener.map(|opener| (opener, now + OLD_KEY_SPAN)))
        };
        Keyed { keys: keys.clone(), sealer, opener, before }
    }
}

fn open_by(
    opener: Option<&mut Opener>,
    is_report: bool,
    packet: &[u8],
    room: &mut Vec<u8>,
) -> Result<usize, Flaw> {
    let opener = opener.ok_or(Flaw::Malformed)?;
    room.clear();
    room.extend_from_slice(packet);
    if is_report { opener.open_report(room) } else { opener.open(room) }
}
