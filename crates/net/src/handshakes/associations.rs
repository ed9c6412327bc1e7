use super::association::Association;
use super::{MediaCertificate, Told};
use dimpl::Config;
use media::HandshakePeer;
use media_api::LegId;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The first wait for a lost packet; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// How often a flight is sent again: 250 ms doubled six times is half a minute.
const SENT_AGAIN: usize = 6;

/// All handshakes of DTLS-SRTP (RFC 5763, 5764), in each of which we are the server: told what comes and what time it is, they
/// say what is to be sent and what came of them. `W` is who wants to know. Neither thread nor socket is here.
pub struct Associations<W> {
    config: Arc<Config>,
    certificate: MediaCertificate,
    limit: usize,
    of: HashMap<LegId, Entry<W>>,
    due: BTreeSet<(Instant, LegId)>,
    told: VecDeque<(LegId, u32, Told, W)>,
}

struct Entry<W> {
    number: u32,
    /// Until nothing more comes of it.
    association: Option<Association>,
    /// As it stands in `due`.
    due: Instant,
    who: W,
    /// What it came to. Kept for whoever takes the leg over: told while the leg was between two, it reached nobody.
    last_word: Option<Told>,
}

impl<W: Clone> Associations<W> {
    /// For so many legs at a time.
    ///
    /// # Errors
    /// The library of DTLS does not work on this machine.
    pub fn new(certificate: &MediaCertificate, limit: usize) -> io::Result<Associations<W>> {
        // Whoever comes this far has proved by a check of ICE that it is where it says: no cookie is needed.
        let config = Config::builder()
            .use_server_cookie(false)
            .flight_start_rto(FIRST_WAIT)
            .flight_retries(SENT_AGAIN)
            .build()
            .map_err(|error| io::Error::other(format!("DTLS cannot be spoken here: {error}")))?;
        Ok(Associations {
            config: Arc::new(config),
            certificate: certificate.clone(),
            limit,
            of: HashMap::new(),
            due: BTreeSet::new(),
            told: VecDeque::new(),
        })
    }

    /// There is to be a handshake. One that the leg had is void.
    pub fn begin(&mut self, now: Instant, leg: LegId, number: u32, peer: Arc<HandshakePeer>, who: W) {
        self.remove(leg);
        if self.of.len() >= self.limit {
            let why = format!(
                "there are {} DTLS handshakes already, and more are not kept: the limit is that of media legs",
                self.limit
            );
            return self.told.push_back((leg, number, Told::Failed(why), who));
        }
        let association = Association::new(&self.config, &self.certificate, peer, now);
        let due = association.due();
        self.due.insert((due, leg));
        self.of.insert(leg, Entry { number, association: Some(association), due, who, last_word: None });
    }

    /// The peer of this handshake has sent something.
    pub fn datagram(&mut self, now: Instant, leg: LegId, number: u32, bytes: &[u8]) {
        self.with(leg, Some(number), |association, told| association.datagram(now, bytes, told));
    }

    /// From now on somebody else wants to know what becomes of the leg's, and what it came to.
    pub fn tell(&mut self, leg: LegId, who: W) {
        let Some(entry) = self.of.get_mut(&leg) else { return };
        if let Some(told) = entry.last_word.clone() {
            self.told.push_back((leg, entry.number, told, who.clone()));
        }
        entry.who = who;
    }

    /// It is no longer needed, nor is one before it: its own beginning may never have come here.
    pub fn end(&mut self, leg: LegId, number: u32) {
        let is_ended = |of: u32| number.wrapping_sub(of) <= u32::MAX / 2;
        if self.of.get(&leg).is_some_and(|entry| is_ended(entry.number)) {
            self.remove(leg);
        }
    }

    /// What is due by now is done.
    pub fn timeout(&mut self, now: Instant) {
        // Each once: what wants to be woken at once again waits for the next turn.
        let due: Vec<LegId> = self.due.range(..=(now, LegId(u64::MAX))).map(|(_, leg)| *leg).collect();
        for leg in due {
            self.with(leg, None, |association, told| association.timeout(now, told));
        }
    }

    /// When `timeout` is to be called.
    pub fn due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// What has become of them, in its order.
    pub fn poll(&mut self) -> Option<(LegId, u32, Told, W)> {
        self.told.pop_front()
    }

    fn with(
        &mut self,
        leg: LegId,
        number: Option<u32>,
        act: impl FnOnce(&mut Association, &mut dyn FnMut(Told)) -> bool,
    ) {
        let Some(entry) = self.of.get_mut(&leg) else { return };
        if number.is_some_and(|number| number != entry.number) {
            return;
        }
        let Some(association) = &mut entry.association else { return };
        let (number, who, told, last_word) = (entry.number, &entry.who, &mut self.told, &mut entry.last_word);
        let goes_on = act(association, &mut |what| {
            if !matches!(what, Told::Datagram(_)) {
                *last_word = Some(what.clone());
            }
            told.push_back((leg, number, what, who.clone()));
        });
        self.due.remove(&(entry.due, leg));
        if !goes_on {
            entry.association = None;
            return;
        }
        entry.due = association.due();
        self.due.insert((entry.due, leg));
    }

    fn remove(&mut self, leg: LegId) {
        if let Some(entry) = self.of.remove(&leg) {
            self.due.remove(&(entry.due, leg));
        }
    }
}

#[cfg(test)]
mod tests;
