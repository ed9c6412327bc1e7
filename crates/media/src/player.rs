//! A list of prompts, or music, as frames of 20 ms. The clock that calls for the frames is the leg's.

use std::sync::Arc;
use std::time::Duration;

use audio::Clip;
use base::Time;
use media_api::{Codec, PlayId, Sound};

use crate::sounds::Ask;

/// A frame of 20 ms in the ticks of a clip.
const FRAME_TICKS: usize = audio::CLIP_TICKS_PER_SECOND as usize / 50;

/// A sound that is not there by then is passed over.
const PATIENCE: Duration = Duration::from_secs(2);

/// A list of more sounds than this is not played.
pub(crate) const SOUNDS_MAX: usize = 64;

/// One leg remembers its place in so many pieces of music.
const PLACES_MAX: usize = 8;

#[derive(Debug)]
pub(crate) struct Player {
    play: PlayId,
    repeat: bool,
    /// What the party hears, once that is agreed; every clip that is ready is written in it.
    codec: Option<Codec>,
    tracks: Vec<Track>,
    current: usize,
    /// In the ticks of the current track.
    position: usize,
    /// Since when the current track is missed.
    missed_since: Option<Time>,
    /// The list has given samples since it last began: if it has not, repeating it would never end.
    has_sounded: bool,
}

#[derive(Debug)]
struct Track {
    sound: Sound,
    /// Which of the sound's sources is asked for or was found.
    choice: usize,
    state: TrackState,
    /// Where music goes on that was heard before.
    begin_at: usize,
}

#[derive(Debug)]
enum TrackState {
    Wanted,
    Ready(Arc<Clip>),
    Missing,
}

/// What a frame has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// It is filled.
    Filled,
    /// The sound is not there yet; to be tried again at this time, or when it comes.
    Waiting(Time),
    /// The sound did not come in time and was passed over; to be tried again at once.
    PassedOver(Arc<str>),
    /// There is nothing to play, now or later.
    Nothing,
    /// The list was heard to its end.
    Ended,
}

/// What an answer means for the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// Ask for this source instead.
    Ask(Arc<str>),
    /// None of a sound's sources can be read; this was the best.
    Missing(Arc<str>),
}

impl Player {
    pub(crate) fn new(play: PlayId, sounds: Vec<Sound>, repeat: bool, places: &MusicPlaces) -> Player {
        let tracks = sounds
            .into_iter()
            .filter(|sound| !sound.is_empty())
            .map(|sound| Track { sound, choice: 0, state: TrackState::Wanted, begin_at: 0 })
            .collect();
        let mut player = Player {
            play,
            repeat,
            codec: None,
            tracks,
            current: 0,
            position: 0,
            missed_since: None,
            has_sounded: false,
        };
        if repeat {
            player.go_on_from(places);
        }
        player
    }

    pub(crate) fn play(&self) -> PlayId {
        self.play
    }

    /// From now on frames are in this codec. All sounds are asked for at once, so that no gap comes later; what has begun
    /// goes on where it is as soon as it is there in this codec.
    pub(crate) fn speak(&mut self, codec: Codec, ask: Ask<'_>) {
        if self.codec.replace(codec) == Some(codec) {
            return;
        }
        for track in &mut self.tracks {
            if let TrackState::Ready(_) = track.state {
                track.state = TrackState::Wanted;
            }
            if let (TrackState::Wanted, Some(source)) = (&track.state, track.source()) {
                ask((source, codec));
            }
        }
    }

    /// Asks for what has been asked for and did not come: whoever was asked is not there any more.
    pub(crate) fn ask_again(&self, ask: Ask<'_>) {
        let Some(codec) = self.codec else { return };
        for track in &self.tracks {
            if let (TrackState::Wanted, Some(source)) = (&track.state, track.source()) {
                ask((source, codec));
            }
        }
    }

    /// Takes the answer for a source into each track that waits for it.
    pub(crate) fn answer(
        &mut self,
        (source, codec): (&Arc<str>, Codec),
        clip: Option<&Arc<Clip>>,
        mut then: impl FnMut(Answered),
    ) {
        if self.codec != Some(codec) {
            return;
        }
        for track in &mut self.tracks {
            let waits = matches!(track.state, TrackState::Wanted) && track.source() == Some(source);
            match clip {
                _ if !waits => {}
                Some(clip) => track.state = TrackState::Ready(Arc::clone(clip)),
                None => {
                    track.choice += 1;
                    if let Some(next) = track.source() {
                        then(Answered::Ask(Arc::clone(next)));
                    } else if let Some(best) = track.give_up() {
                        then(Answered::Missing(best));
                    }
                }
            }
        }
    }

    /// Whether the frame that is next has its sound.
    pub(crate) fn is_ready(&self) -> bool {
        !matches!(self.tracks.get(self.current).map(|track| &track.state), Some(TrackState::Wanted))
    }

    /// Fills the next frame with the payload of one packet. One sound follows on the other within it, where the codec
    /// can be joined so.
    pub(crate) fn fill(&mut self, now: Time, frame: &mut Vec<u8>) -> Frame {
        frame.clear();
        let mut filled = 0;
        while filled < FRAME_TICKS {
            let Some(track) = self.tracks.get_mut(self.current) else {
                if self.begin_again() {
                    continue;
                }
                break;
            };
            match &track.state {
                TrackState::Ready(clip) => {
                    let place = std::mem::take(&mut track.begin_at);
                    // The file may have become shorter since the place was noted.
                    let start = if place > 0 && place < clip.len() { place } else { self.position };
                    let count = clip.copy(start, FRAME_TICKS - filled, frame);
                    filled += count;
                    self.position = start + count;
                    self.has_sounded |= count > 0;
                    if self.position >= clip.len() {
                        self.next_track();
                    } else if count == 0 {
                        // A packet that cannot be divided begins with the next frame.
                        break;
                    }
                }
                TrackState::Missing => self.next_track(),
                TrackState::Wanted if filled > 0 => break,
                TrackState::Wanted => return self.wait(now),
            }
        }
        self.finish(frame, filled)
    }

    /// Moves on by whole frames that nobody is to hear.
    pub(crate) fn skip(&mut self, now: Time, frames: u64, frame: &mut Vec<u8>) {
        // Five minutes of skipping tell that the machine slept; where the music goes on then is all one.
        for _ in 0..frames.min(15_000) {
            if self.fill(now, frame) != Frame::Filled {
                return;
            }
        }
    }

    /// Remembers how far the music was heard.
    pub(crate) fn leave(&self, places: &mut MusicPlaces) {
        // Past the last track the first is next.
        let track = self.tracks.get(self.current).or_else(|| self.tracks.first());
        if let (true, Some(track)) = (self.repeat, track)
            && let Some(source) = track.source()
        {
            places.set(source, self.position.max(track.begin_at));
        }
    }

    fn go_on_from(&mut self, places: &MusicPlaces) {
        for (source, position) in places.latest_first() {
            let found = self.tracks.iter_mut().enumerate().find(|(_, track)| track.sound.contains(source));
            if let Some((index, track)) = found {
                self.current = index;
                track.begin_at = position;
                return;
            }
        }
    }

    fn wait(&mut self, now: Time) -> Frame {
        let deadline = *self.missed_since.get_or_insert(now) + PATIENCE;
        if now < deadline {
            return Frame::Waiting(deadline);
        }
        let best = self.tracks.get_mut(self.current).and_then(Track::give_up);
        self.next_track();
        best.map_or(Frame::Nothing, Frame::PassedOver)
    }

    fn next_track(&mut self) {
        self.current += 1;
        self.position = 0;
        self.missed_since = None;
    }

    /// False if the list is at its end.
    fn begin_again(&mut self) -> bool {
        if !self.repeat || !std::mem::take(&mut self.has_sounded) {
            return false;
        }
        self.current = 0;
        true
    }

    fn finish(&self, frame: &mut Vec<u8>, filled: usize) -> Frame {
        if let (true, Some(codec)) = (filled > 0, self.codec) {
            Clip::pad(codec, FRAME_TICKS.saturating_sub(filled), frame);
            return Frame::Filled;
        }
        if self.repeat { Frame::Nothing } else { Frame::Ended }
    }
}

impl Track {
    fn source(&self) -> Option<&Arc<str>> {
        self.sound.get(self.choice)
    }

    /// The best source of what cannot be had.
    fn give_up(&mut self) -> Option<Arc<str>> {
        self.state = TrackState::Missing;
        self.sound.first().cloned()
    }
}

/// Where a leg was in the music that it has heard.
#[derive(Debug, Default)]
pub(crate) struct MusicPlaces {
    /// The latest last.
    places: Vec<(Arc<str>, usize)>,
}

impl MusicPlaces {
    fn set(&mut self, source: &Arc<str>, position: usize) {
        self.places.retain(|(known, _)| known != source);
        if self.places.len() >= PLACES_MAX {
            self.places.remove(0);
        }
        self.places.push((Arc::clone(source), position));
    }

    fn latest_first(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.places.iter().rev().map(|(source, position)| (source, *position))
    }
}
