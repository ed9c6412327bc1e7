//! What is played into a room while its parties talk, for all of them or for one.

use std::sync::Arc;

use audio::{Clip, Decoder, Resampler};
use base::Time;
use media_api::{Codec, Event, LegId, PlayId, RoomId, Sound};

use crate::outbox::Outbox;
use crate::player::{Answered, Frame, MusicPlaces, Player};
use crate::sounds::Ask;

/// Announcements for a room are clips of plain samples: what they become is decided by who hears them.
const CODEC: Codec = Codec::L16;
/// So many are played into one room at a time.
pub(super) const ANNOUNCEMENTS_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Announcement {
    player: Player,
    /// Who hears it; all if nobody is named.
    pub(super) to: Option<LegId>,
    /// What is said is not heard meanwhile.
    pub(super) alone: bool,
    decoder: Decoder,
    resampler: Resampler,
    payload: Vec<u8>,
    decoded: Vec<i16>,
    held: Vec<i16>,
    /// What is heard of it in this frame.
    pub(super) frame: Vec<i16>,
    pub(super) sounds: bool,
    /// A sound of it could not be read.
    is_lacking: bool,
}

impl Announcement {
    pub(super) fn new(
        play: PlayId,
        sounds: Vec<Sound>,
        (to, alone): (Option<LegId>, bool),
        sample_rate: u32,
        ask: Ask<'_>,
    ) -> Announcement {
        let mut player = Player::new(play, sounds, false, &MusicPlaces::default());
        player.speak(CODEC, ask);
        let decoder = Decoder::at(CODEC, sample_rate);
        Announcement {
            player,
            to,
            alone,
            resampler: Resampler::new(decoder.sample_rate(), sample_rate),
            decoder,
            payload: Vec::new(),
            decoded: Vec::new(),
            held: Vec::new(),
            frame: Vec::new(),
            sounds: false,
            is_lacking: false,
        }
    }

    /// Goes on with so many samples a second.
    pub(super) fn set_sample_rate(&mut self, sample_rate: u32) {
        self.decoder = Decoder::at(CODEC, sample_rate);
        self.resampler = Resampler::new(self.decoder.sample_rate(), sample_rate);
        self.held.clear();
    }

    /// Takes a sound that it may wait for.
    pub(super) fn answer(&mut self, wish: (&Arc<str>, Codec), clip: Option<&Arc<Clip>>, ask: Ask<'_>) {
        let is_lacking = &mut self.is_lacking;
        self.player.answer(wish, clip, |answered| match answered {
            Answered::Ask(next) => ask((&next, wish.1)),
            Answered::Missing(_) => *is_lacking = true,
        });
    }

    /// Makes the next frame of so many samples. False if it is over, which is told.
    pub(super) fn go_on(&mut self, now: Time, length: usize, room: RoomId, out: &mut Outbox) -> bool {
        self.frame.clear();
        self.sounds = false;
        while self.held.len() < length {
            match self.player.fill(now, &mut self.payload) {
                Frame::Filled => {
                    self.decoded.clear();
                    if self.decoder.decode(&self.payload, &mut self.decoded).is_err() {
                        self.is_lacking = true;
                    }
                    let before = self.held.len();
                    self.resampler.process(&self.decoded, &mut self.held);
                    // A frame that gives nothing would be asked for again for ever.
                    self.held.resize(self.held.len().max(before + 1), 0);
                }
                Frame::PassedOver(_) => self.is_lacking = true,
                Frame::Waiting(_) => break,
                Frame::Nothing | Frame::Ended if self.held.is_empty() => {
                    let (play, complete) = (self.player.play(), !self.is_lacking);
                    out.event(Event::Announced { room, play, complete });
                    return false;
                }
                Frame::Nothing | Frame::Ended => break,
            }
        }
        self.sounds = !self.held.is_empty();
        let ready = self.held.len().min(length);
        self.frame.extend(self.held.drain(..ready));
        self.frame.resize(length, 0);
        true
    }

    /// Nobody is there to hear it any more.
    pub(super) fn break_off(&self, room: RoomId, out: &mut Outbox) {
        out.event(Event::Announced { room, play: self.player.play(), complete: false });
    }

    /// Whether this is for the ears of a party.
    pub(super) fn is_for(&self, leg: LegId) -> bool {
        self.sounds && self.to == Some(leg)
    }

    /// Whether all hear it now.
    pub(super) fn is_for_all(&self) -> bool {
        self.sounds && self.to.is_none()
    }
}
