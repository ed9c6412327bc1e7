//! One party's media: what is agreed with it, what it hears and what it says.

mod finding;
mod handshaking;
mod idling;
mod listening;
mod measuring;
mod message;
mod pressing;
mod protection;
mod receiving;
mod rewriting;
mod sending;
mod tapping;
mod translating;

use std::net::SocketAddr;
use std::time::Duration;

use audio::EncoderSettings;
use base::{Key, Rng, Time, Wall};
use media_api::{Event, Evidence, LegId, Opus, PlayId, RoomId, Stream};

use crate::api::Why;
use crate::cadence::Cadence;
use crate::ice::Ice;
use crate::keys::Keys;
use crate::line::{Line, Talker};
use crate::outbox::Outbox;
use crate::player::{MusicPlaces, Player};
use crate::presses::Presses;
use crate::quality::{Hearings, Meter};
use crate::reception::Reception;
use crate::relay::Relay;
use crate::reports::Reports;
use crate::rtp::TickRate;
use crate::sounds::Ask;
use crate::source::Source;
use crate::voice::Format;
use crate::watchdog::Watchdog;

use handshaking::Handshaking;
use idling::Idling;
use listening::Listening;
use pressing::Tones;
use protection::Protection;
pub(crate) use receiving::{Received, Spoken};
use rewriting::Rewriting;
use tapping::Tap;
use translating::Translation;

/// Who hears what a leg says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Nobody.
    Nobody,
    /// The other leg of its bridge.
    Peer(Key<Leg>),
    /// Those in this room who are to.
    Room(RoomId),
    /// Itself.
    Itself,
}

#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) route: Route,
    /// Whose speech is routed to it.
    hears: Option<Key<Leg>>,
    local: SocketAddr,
    /// Where in each 20 ms it plays, so that not all legs send in the same tick.
    phase: Duration,
    agreed: Option<Agreed>,
    protection: Protection,
    handshaking: Handshaking,
    /// How a party is found that looks for us.
    ice: Option<Box<Ice>>,
    // What it hears.
    line: Line,
    relay: Relay,
    translation: Option<Box<Translation>>,
    /// When the last pause began that was filled with noise.
    filled_at: Option<Time>,
    player: Option<Playing>,
    places: MusicPlaces,
    keys: Keys,
    tones: Option<Box<Tones>>,
    idling: Idling,
    // What it says.
    reception: Reception,
    presses: Presses,
    listening: Listening,
    watchdog: Watchdog,
    tap: Option<Box<Tap>>,
    rejected: u64,
    digits: u64,
    reports: Reports,
    hearings: Hearings,
    meter: Meter,
}

#[derive(Debug)]
struct Agreed {
    stream: Stream,
    source: Source,
}

#[derive(Debug)]
struct Playing {
    player: Player,
    /// Nothing is due before the leg is configured and when there is nothing to play.
    cadence: Cadence,
    /// The payload that goes out, kept for its room.
    frame: Vec<u8>,
    /// Where it is not what the clips hold.
    rewriting: Option<Box<Rewriting>>,
}

impl Leg {
    pub(crate) fn new(
        id: LegId,
        local: SocketAddr,
        phase: Duration,
        mut rng: Rng,
        patience: Duration,
        wall_at_zero: Wall,
        now: Time,
    ) -> Leg {
        Leg {
            id,
            route: Route::Nobody,
            hears: None,
            local,
            phase,
            agreed: None,
            protection: Protection::default(),
            handshaking: Handshaking::default(),
            ice: None,
            line: Line::new(&mut rng, now),
            relay: Relay::default(),
            translation: None,
            filled_at: None,
            player: None,
            places: MusicPlaces::default(),
            keys: Keys::default(),
            tones: None,
            idling: Idling::new(now),
            reception: Reception::new(),
            presses: Presses::default(),
            listening: Listening::default(),
            watchdog: Watchdog::new(patience),
            tap: None,
            rejected: 0,
            digits: 0,
            reports: Reports::new(rng, wall_at_zero),
            hearings: Hearings::default(),
            meter: Meter::default(),
        }
    }

    /// Takes a new agreement. What plays is asked for again if it is in another codec.
    pub(crate) fn configure(&mut self, now: Time, stream: Stream, ask: Ask<'_>) {
        self.watchdog.expect(now, stream.may_receive());
        if let Some(tap) = self.tap.as_mut().filter(|_| !stream.may_receive()) {
            tap.hears_no_more();
        }
        self.line.set_rate(now, TickRate::of(stream.codec));
        self.reception.set_rate(TickRate::of(stream.codec));
        let remote = stream.remote;
        let has_moved = self.agreed.as_ref().is_some_and(|agreed| agreed.stream.remote != remote);
        self.protection.agree(now, &stream.security, has_moved);
        match &mut self.agreed {
            Some(agreed) => {
                if agreed.stream.remote_rtcp != stream.remote_rtcp {
                    self.reports.forget_address();
                }
                agreed.source.negotiate(remote);
                agreed.stream = stream;
            }
            None => self.agreed = Some(Agreed { stream, source: Source::new(remote) }),
        }
        self.listening.expect_keys(!self.takes_events());
        self.reports.begin(now);
        self.meter.begin(now);
        let format = self.format();
        if let (Some(playing), Some(format)) = (&mut self.player, format) {
            playing.player.speak(format.clip_codec(), ask);
        }
        self.begin_to_play(now);
    }

    /// The tones of a network are listened for from now on, or no longer.
    pub(crate) fn hear_progress(&mut self, on: bool) {
        self.listening.expect_progress(on);
    }

    /// What is due next.
    pub(crate) fn deadline(&self) -> Option<(Time, Why)> {
        let play = self.player.as_ref().and_then(|playing| playing.cadence.due());
        let translation = self.translation.as_ref().and_then(|translation| translation.due());
        [
            (play, Why::Play),
            (translation, Why::Translate),
            (self.tap.as_ref().and_then(|tap| tap.due()), Why::Tap),
            (self.keys.due(), Why::Digits),
            (self.idle_due(), Why::Idle),
            (self.watchdog.due(), Why::Watchdog),
            (self.ice.as_ref().and_then(|ice| ice.due()), Why::Way),
            (self.reports.due(), Why::Rtcp),
            (self.meter.due(), Why::Quality),
        ]
        .into_iter()
        .filter_map(|(time, why)| time.map(|time| (time, why)))
        .min_by_key(|(time, _)| *time)
    }

    /// Whether a packet of the party may bring the next deadline forward. It can only move the others back, which is found
    /// when they are reached: to look at all of them for each packet takes a third of what relaying it does.
    pub(crate) fn is_timed_by_packets(&self) -> bool {
        self.ice.is_some() || self.tap.is_some() || self.watchdog.is_silent()
    }

    /// Does all that is due.
    pub(crate) fn handle_timeout(&mut self, now: Time, out: &mut Outbox) {
        self.follow_way(now, out);
        self.send_keys(now, out);
        self.play_on(now, out);
        self.translate_on(now, out);
        self.break_silence(now, out);
        self.tap_on(now, out);
        if self.reports.due().is_some_and(|due| due <= now) {
            self.report(now, false, out);
        }
        self.tell_quality(now, out);
        if let Some(silent_for) = self.watchdog.check(now) {
            self.tell_silence(silent_for, out);
        }
    }

    /// Says goodbye and gives the figures.
    pub(crate) fn close(mut self, now: Time, out: &mut Outbox) {
        self.stop_play(out);
        if self.reports.have_begun() {
            self.report(now, true, out);
        }
        self.end_handshake(out);
        out.event(Event::Closed { leg: self.id, stats: Box::new(self.stats()) });
    }

    /// From now on `route` hears what the leg says, and it hears what `hears` says. Ends what plays.
    pub(crate) fn set_routes(&mut self, route: Route, hears: Option<Key<Leg>>, out: &mut Outbox) {
        self.stop_play(out);
        self.hear_anew();
        self.hearings.end();
        (self.route, self.hears) = (route, hears);
    }

    /// With whom it talks over a bridge.
    pub(crate) fn bridged_with(&self) -> Option<Key<Leg>> {
        match self.route {
            Route::Peer(peer) if self.hears == Some(peer) && self.player.is_none() => Some(peer),
            _ => None,
        }
    }

    /// Nobody hears what the leg says any more, and it hears nobody; gives who did, and whom it heard.
    pub(crate) fn part(&mut self) -> (Route, Option<Key<Leg>>) {
        self.hear_anew();
        self.hearings.end();
        (std::mem::replace(&mut self.route, Route::Nobody), self.hears.take())
    }

    /// The other leg has parted.
    pub(crate) fn part_from(&mut self, other: Key<Leg>) {
        if self.route == Route::Peer(other) {
            self.route = Route::Nobody;
            self.hearings.end();
        }
        if self.hears.take_if(|heard| *heard == other).is_some() {
            self.hear_anew();
        }
    }

    /// Whoever is heard next begins anew.
    fn hear_anew(&mut self) {
        self.relay.forget();
        self.translation = None;
    }

    /// What it is to be spoken to in, once that is agreed.
    pub(crate) fn format(&self) -> Option<Format> {
        let stream = &self.agreed.as_ref()?.stream;
        Some(Format { codec: stream.codec, settings: settings(&stream.opus) })
    }

    /// How many packets of a hundred the party has lost lately of what it was sent, as it reports.
    pub(crate) fn loss_there(&self) -> u8 {
        self.reports.remote_loss
    }

    /// This talker has nothing to say for now.
    pub(crate) fn falls_silent(&mut self, talker: Talker) {
        self.line.fall_silent(talker);
    }

    /// Ends what plays, if something does.
    pub(crate) fn stop_play(&mut self, out: &mut Outbox) {
        if let Some(playing) = self.player.take() {
            playing.player.leave(&mut self.places);
            self.end_play(playing.player.play(), false, out);
        }
    }

    fn end_play(&mut self, play: PlayId, complete: bool, out: &mut Outbox) {
        self.line.fall_silent(Talker::Player);
        out.event(Event::PlayEnded { leg: self.id, play, complete });
    }

    fn tell_silence(&mut self, silent_for: Duration, out: &mut Outbox) {
        let (Some(agreed), Some(since)) = (&self.agreed, self.watchdog.since()) else { return };
        out.event(Event::Silent {
            leg: self.id,
            evidence: Evidence {
                expected: self.ice.as_ref().and_then(|ice| ice.selected()).unwrap_or(agreed.stream.remote),
                last_source: self.ice.as_ref().map_or(agreed.source.learned(), |ice| ice.heard()),
                silent_for,
                received: self.reception.received(),
                rejected: self.rejected,
                rtcp_alive: self.reports.heard_at.is_some_and(|heard_at| heard_at >= since),
            },
        });
    }
}

/// How a peer is to be sent Opus that wants it so.
fn settings(opus: &Opus) -> EncoderSettings {
    let usual = EncoderSettings::default();
    EncoderSettings {
        bit_rate: opus.bit_rate_max.map_or(usual.bit_rate, |max| usual.bit_rate.min(max)),
        playback_rate: opus.playback_rate_max,
        repeats: opus.fec,
        pauses: opus.dtx && !opus.constant_bit_rate,
        constant: opus.constant_bit_rate,
        ..usual
    }
}

/// Hold is still asked for by the address 0.0.0.0 (RFC 3264 §8.4), to which nothing is sent.
fn is_address(address: SocketAddr) -> bool {
    !address.ip().is_unspecified() && address.port() != 0
}
