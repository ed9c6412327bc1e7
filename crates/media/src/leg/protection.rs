//! SRTP on a leg: what is sent is sealed, what comes in is opened or reaches nobody, and the first that is not what it
//! should be is told.

use std::net::SocketAddr;
use std::time::Duration;

use base::Time;
use media_api::{Event, KeyExchange, Keys, LegId, MasterKey, Security};

use crate::api::PacketKind;
use crate::outbox::Outbox;
use crate::srtp::{Count, Flaw, Opener, Sealer};

/// Longer packets are nobody's speech.
const LENGTH_MAX: usize = 1600;

/// How long packets by the key before are still taken: they overtake, and are overtaken by, the answer that changes it.
const OLD_KEY_SPAN: Duration = Duration::from_secs(5);

/// So many keys of the peer are known again, the latest: what was recorded by one of them does not pass when it comes back.
const FORMER_MAX: usize = 8;

/// A party whose packets go on failing is told of once in this time.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What protects a leg.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    /// By the keys that were agreed last. They are kept while nothing is sealed: where they come back, no number may be used
    /// again.
    keyed: Option<Box<Keyed>>,
    passing: Passing,
    unauthenticated: u64,
    untold: u64,
    told_at: Option<Time>,
}

/// What is sent and believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Passing {
    #[default]
    Plain,
    /// By keys.
    Sealed,
    /// There are no keys yet.
    Nothing,
}

#[derive(Debug)]
struct Keyed {
    keys: Keys,
    /// `None` if no cipher can be made of the keys: then nothing passes.
    sealer: Option<Sealer>,
    opener: Option<Opener>,
    /// By the peer's keys before, the latest at the end.
    former: Vec<Former>,
}

#[derive(Debug)]
struct Former {
    key: MasterKey,
    opener: Opener,
    believed_until: Time,
}

impl Protection {
    /// A new agreement, and whether the peer is elsewhere by it. What stays the same keeps its counts; a peer's new key
    /// takes the place of the old one, which is believed for a while.
    pub(super) fn agree(&mut self, now: Time, security: &Security, has_moved: bool) {
        let shaken = self.is_sealed_by(KeyExchange::Dtls);
        match security {
            Security::Plain => self.passing = Passing::Plain,
            Security::Keyed(keys) => {
                let goes_on = self.passing == Passing::Sealed && !shaken && !has_moved;
                self.key(now, keys, if goes_on { Count::GoesOn } else { Count::BeginsAnew });
            }
            // The keys of the handshake before, or of this one, hold until there are others.
            Security::Handshake(_) if shaken => {}
            Security::Handshake(_) => self.passing = Passing::Nothing,
        }
    }

    /// A handshake has given keys: another session begins with them.
    pub(super) fn take_keys(&mut self, now: Time, keys: &Keys) {
        self.key(now, keys, Count::BeginsAnew);
    }

    /// The handshake that gave the keys, or should have, has come to its end: there are none until there are others.
    pub(super) fn lose_keys(&mut self) {
        self.passing = Passing::Nothing;
    }

    fn is_sealed_by(&self, exchange: KeyExchange) -> bool {
        let exchanged = self.keyed.as_ref().map(|keyed| keyed.keys.exchange);
        self.passing == Passing::Sealed && exchanged == Some(exchange)
    }

    fn key(&mut self, now: Time, keys: &Keys, count: Count) {
        let is_anew = std::mem::replace(&mut self.passing, Passing::Sealed) != Passing::Sealed;
        let before = self.keyed.take();
        if is_anew || before.as_ref().is_none_or(|before| before.keys.terms() != keys.terms()) {
            // What failed by other terms says nothing of these.
            self.told_at = None;
        }
        self.keyed = Some(Box::new(match before {
            Some(before) => before.rekeyed(now, keys, count),
            None => Keyed {
                sealer: Sealer::new(&keys.ours),
                opener: Opener::new(&keys.theirs, keys.their_name),
                former: Vec::new(),
                keys: keys.clone(),
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
        let keyed = match (self.passing, &mut self.keyed) {
            (Passing::Plain, _) => return Ok(packet),
            (Passing::Sealed, Some(keyed)) => keyed,
            _ => return Err(Flaw::Malformed),
        };
        if packet.len() > LENGTH_MAX {
            return Err(Flaw::Malformed);
        }
        let before = keyed.former.last_mut().filter(|former| former.believed_until > now);
        let opened = match (open_by(keyed.opener.as_mut(), is_report, packet, room), before) {
            (Err(Flaw::Unauthenticated), Some(before)) => {
                open_by(Some(&mut before.opener), is_report, packet, room)
            }
            (opened, _) => opened,
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
        let is_due = self.passing == Passing::Sealed && self.untold > 0;
        let Some(keyed) = self.keyed.as_ref().filter(|_| is_due) else { return };
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
        out.send(leg, socket, to, |packets| self.write_sealed(false, packets, write));
    }

    /// The same for a report.
    pub(super) fn send_report(
        &mut self,
        out: &mut Outbox,
        (leg, socket, to): (LegId, PacketKind, SocketAddr),
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        out.send(leg, socket, to, |packets| self.write_sealed(true, packets, write));
    }

    /// What cannot be sealed is taken away: in the clear it must not go.
    fn write_sealed(&mut self, is_report: bool, packets: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = packets.len();
        write(packets);
        let sealer = self.keyed.as_mut().and_then(|keyed| keyed.sealer.as_mut());
        let is_sealed = match (self.passing, sealer) {
            (Passing::Plain, sealer) => {
                let speech = sealer.filter(|_| !is_report).zip(packets.get(start..));
                return speech.into_iter().for_each(|(sealer, packet)| sealer.pass_over(packet));
            }
            (Passing::Sealed, Some(sealer)) if is_report => sealer.seal_report(packets, start).is_ok(),
            (Passing::Sealed, Some(sealer)) => sealer.seal(packets, start).is_ok(),
            _ => false,
        };
        if !is_sealed {
            packets.truncate(start);
        }
    }

    /// Whether what is to be sent can be.
    pub(super) fn passes(&self) -> bool {
        self.passing != Passing::Nothing
    }

    /// How many packets failed.
    pub(super) fn unauthenticated(&self) -> u64 {
        self.unauthenticated
    }
}

impl Keyed {
    fn rekeyed(self, now: Time, keys: &Keys, count: Count) -> Keyed {
        let same_ours = self.keys.ours == keys.ours;
        let same_theirs = self.keys.theirs == keys.theirs && self.keys.their_name == keys.their_name;
        let sealer = if same_ours {
            self.sealer
        } else {
            self.sealer.and_then(|sealer| sealer.rekeyed(&keys.ours, count))
        };
        let mut former = self.former;
        let opener = if same_theirs {
            self.opener
        } else if self.keys.theirs == keys.theirs {
            self.opener.map(|opener| opener.named(keys.their_name))
        } else {
            self.opener.and_then(|opener| {
                let known = former.iter().position(|former| former.key == keys.theirs);
                let next = match known.map(|at| former.remove(at).opener) {
                    Some(known) => Some(known.returned(&opener, keys.their_name)),
                    None => opener.rekeyed(&keys.theirs, keys.their_name),
                };
                if former.len() == FORMER_MAX {
                    former.remove(0);
                }
                former.push(Former { key: self.keys.theirs, opener, believed_until: now + OLD_KEY_SPAN });
                next
            })
        };
        Keyed { keys: keys.clone(), sealer, opener, former }
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
