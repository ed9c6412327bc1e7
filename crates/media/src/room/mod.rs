//! A room: who is heard in each 20 ms, and what each listener hears of it.
//!
//! Each party's speech is decoded once. Those who are heard by all are summed once; who speaks hears the sum less
//! its own part, and all who do not share one mix, encoded once for each format. So a room costs as much more as it has
//! parties more. What is whispered is added for whom it is meant.

mod announcing;
mod chime;
mod contributing;
mod handing_over;
mod level;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use audio::Clip;
use base::{Key, Seed, Slots, Time};
use media_api::{Codec, Heard, LegId, PlayId, RoomId, Seat, Sound, SpeakersTold};

use crate::cadence::{CATCH_UP_MAX, Cadence};
use crate::contributors::Contributor;
use crate::ear::{Hearing, Said};
use crate::leg::{Leg, Received, Spoken};
use crate::line::Talker;
use crate::loudness::energy;
use crate::outbox::Outbox;
use crate::quality;
use crate::sounds::Ask;
use crate::voice::{Format, Voice};
use announcing::{ANNOUNCEMENTS_MAX, Announcement};
use chime::Chime;
use handing_over::HandingOver;
use level::Level;

/// So many are heard at a time; of more the loudest. Nobody understands more, and noise adds up.
const SPEAKERS_MAX: usize = 8;
/// So many of those who say how loud they are are decoded, of more the loudest.
const DECODED_MAX: usize = 2 * SPEAKERS_MAX;
/// How much louder another one must say that it is to be decoded in the place of one who was.
const HELD_DECIBELS: u8 = 3;
/// How much louder another one must be to take a speaker's place, in sixteenths.
const HELD_PLACE: u64 = 24;
/// A whisper reaches so many.
const WHISPERED_TO_MAX: usize = 16;
const FRAMES_PER_SECOND: u32 = 50;
/// A format that nobody has heard for so many frames is forgotten.
const FORMAT_KEPT: u64 = 500;
/// Who has heard a mix of its own hears it so many frames longer: by then its encoder and that of all others, which
/// write the same, are alike, and one can take the other's place without a click.
const OWN_KEPT: u64 = 25;
/// The rate of telephones, where nobody has spoken yet.
const RATE_MIN: u32 = 8000;

#[derive(Debug)]
pub(crate) struct Room {
    id: RoomId,
    cadence: Cadence,
    /// What is mixed has so many samples a second: the best that any party can hear of another.
    sample_rate: u32,
    members: BTreeMap<Key<Leg>, Member>,
    /// For those who hear the same as others, one of each format, and in which frame it last wrote.
    shared: Vec<(Voice, u64)>,
    chimes: Vec<Chime>,
    announcements: Vec<Announcement>,
    frame: u64,
    seed: Seed,
    // Kept from frame to frame, so that a frame allocates nothing.
    levels: Vec<(u8, Key<Leg>)>,
    loudest: Vec<(u64, Key<Leg>)>,
    whispering: Vec<Key<Leg>>,
    speakers: Vec<(Key<Leg>, Contributor)>,
    listed: Vec<Contributor>,
    listeners: Vec<Key<Leg>>,
    sum: Vec<i32>,
    mix: Vec<i16>,
    own_sum: Vec<i32>,
    own_mix: Vec<i16>,
}

#[derive(Debug)]
struct Member {
    leg: LegId,
    seat: Seat,
    chime: bool,
    hearing: Hearing,
    /// For a mix of its own, and in which frame it last wrote.
    voice: Option<(Box<Voice>, u64)>,
    /// What it says in this frame; its samples are silence if it says nothing.
    frame: Vec<i16>,
    is_said: bool,
    /// How loud it says that it is.
    level: Option<Level>,
    /// It is too quiet to be decoded.
    is_passed_over: bool,
    /// It is one of those who are heard by all.
    speaks: bool,
    /// Until this frame it hears a mix of its own.
    own_until: u64,
    /// It was bridged until it came.
    from_bridge: Option<HandingOver>,
}

impl Room {
    /// An empty room whose frames fall in this phase of each 20 ms.
    pub(crate) fn new(id: RoomId, now: Time, phase: Duration, seed: Seed) -> Room {
        let mut cadence = Cadence::new(phase);
        cadence.start(now);
        Room {
            id,
            cadence,
            sample_rate: RATE_MIN,
            members: BTreeMap::new(),
            shared: Vec::new(),
            chimes: Vec::new(),
            announcements: Vec::new(),
            frame: 0,
            seed,
            levels: Vec::new(),
            loudest: Vec::new(),
            whispering: Vec::new(),
            speakers: Vec::new(),
            listed: Vec::new(),
            listeners: Vec::new(),
            sum: Vec::new(),
            mix: Vec::new(),
            own_sum: Vec::new(),
            own_mix: Vec::new(),
        }
    }

    /// A leg comes that was bridged `with` another one, if it was; or has another seat from now on.
    pub(crate) fn join(
        &mut self,
        now: Time,
        (key, leg): (Key<Leg>, LegId),
        mut seat: Seat,
        chime: bool,
        with: Option<Key<Leg>>,
    ) {
        if let Heard::By(legs) = &mut seat.heard {
            legs.truncate(WHISPERED_TO_MAX);
        }
        if let Some(member) = self.members.get_mut(&key) {
            return member.seat = seat;
        }
        if chime {
            self.chimes.push(Chime::up(self.sample_rate));
        }
        let member = Member {
            leg,
            seat,
            chime,
            hearing: Hearing::new(self.seed.numbered(leg.0)),
            voice: None,
            frame: Vec::new(),
            is_said: false,
            level: None,
            is_passed_over: false,
            speaks: false,
            own_until: 0,
            from_bridge: self.handed_over(now, key, with),
        };
        self.members.insert(key, member);
    }

    /// A leg leaves. True if the room is empty now.
    pub(crate) fn leave(&mut self, key: Key<Leg>) -> bool {
        if self.members.remove(&key).is_some_and(|member| member.chime) {
            self.chimes.push(Chime::down(self.sample_rate));
        }
        self.members.is_empty()
    }

    /// Takes a packet of a party.
    pub(crate) fn hear(&mut self, now: Time, received: &Received<'_>) {
        let Some(member) = self.members.get_mut(&received.from) else { return };
        let codec = if let Spoken::Speech(codec) = received.spoken { Some(codec) } else { None };
        if let Some(level) = received.level {
            member.level.get_or_insert_default().hear(level);
        }
        member.hearing.hear(now, codec.map(|codec| (codec, self.sample_rate)), &received.arrived());
    }

    /// Takes a packet of a party that was passed on by another way: what comes next follows on it.
    fn follow(&mut self, now: Time, received: &Received<'_>) {
        let (Some(member), Spoken::Speech(codec)) = (self.members.get_mut(&received.from), received.spoken)
        else {
            return;
        };
        member.hearing.follow(now, (codec, self.sample_rate), received.packet.payload);
    }

    /// How this party was heard.
    pub(crate) fn heard(&mut self, from: Key<Leg>) -> Option<quality::Heard> {
        self.members.get_mut(&from)?.hearing.heard()
    }

    /// Whether there is room for one announcement more.
    pub(crate) fn may_announce(&self) -> bool {
        self.announcements.len() < ANNOUNCEMENTS_MAX
    }

    /// Plays these to all or to one, beside what is said or alone.
    pub(crate) fn announce(
        &mut self,
        play: PlayId,
        sounds: Vec<Sound>,
        to: (Option<LegId>, bool),
        ask: Ask<'_>,
    ) {
        self.announcements.push(Announcement::new(play, sounds, to, self.sample_rate, ask));
    }

    /// Takes a sound that was asked for.
    pub(crate) fn answer(&mut self, wish: (&Arc<str>, Codec), clip: Option<&Arc<Clip>>, ask: Ask<'_>) {
        for announcement in &mut self.announcements {
            announcement.answer(wish, clip, &mut *ask);
        }
    }

    /// All have left: what was being announced is over.
    pub(crate) fn close(self, out: &mut Outbox) {
        for announcement in self.announcements {
            announcement.break_off(self.id, out);
        }
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.cadence.due()
    }

    /// Mixes and sends what is due.
    pub(crate) fn handle_timeout(&mut self, now: Time, legs: &mut Slots<Leg>, out: &mut Outbox) {
        for _ in 0..CATCH_UP_MAX {
            let Some(nominal) = self.cadence.next(now) else { return };
            self.choose_rate(legs);
            self.take_frames(now);
            self.announce_on(now, out);
            self.choose_speakers();
            self.add_up();
            self.send(nominal, legs, out);
        }
        if self.cadence.skip(now) > 0 {
            for key in self.members.keys() {
                legs.get_mut(*key).into_iter().for_each(|leg| leg.falls_silent(Talker::Room));
            }
        }
    }

    /// Mixes at the second best rate: what only one party could hear is worth nothing, for it does not hear itself.
    fn choose_rate(&mut self, legs: &Slots<Leg>) {
        let (mut best, mut second) = (0, 0);
        for format in self.members.keys().filter_map(|key| legs.get(*key)?.format()) {
            let rate = format.codec.sample_rate();
            (best, second) = if rate > best { (rate, best) } else { (best, second.max(rate)) };
        }
        let rate = second.max(RATE_MIN);
        if rate == self.sample_rate {
            return;
        }
        self.sample_rate = rate;
        self.shared.clear();
        self.chimes.iter_mut().for_each(|chime| chime.set_sample_rate(rate));
        self.announcements.iter_mut().for_each(|announcement| announcement.set_sample_rate(rate));
        for member in self.members.values_mut() {
            member.voice = None;
            member.hearing.set_sample_rate(rate);
        }
    }

    fn take_frames(&mut self, now: Time) {
        self.pass_over_the_quiet();
        for member in self.members.values_mut() {
            if member.seat.heard == Heard::ByNobody || member.is_passed_over {
                // Or it would be heard late when that changes.
                member.hearing.pass(now);
                member.is_said = false;
            } else {
                // Nobody needs to hear how others are silent.
                member.is_said = member.hearing.take(now, &mut member.frame) == Said::Speech;
            }
        }
    }

    /// Of those who say themselves how loud they are, only the loudest are decoded, twice as many as are heard: which of
    /// them are, their speech decides.
    fn pass_over_the_quiet(&mut self) {
        self.levels.clear();
        for (key, member) in &mut self.members {
            let was_passed_over = std::mem::take(&mut member.is_passed_over);
            let Some(level) = member.level.as_mut().filter(|_| member.seat.heard == Heard::ByAll) else {
                continue;
            };
            let held = if was_passed_over { 0 } else { HELD_DECIBELS };
            self.levels.push((level.next().saturating_sub(held), *key));
        }
        if self.levels.len() <= DECODED_MAX {
            return;
        }
        self.levels.select_nth_unstable(DECODED_MAX);
        for (_, key) in self.levels.iter().skip(DECODED_MAX) {
            self.members.get_mut(key).into_iter().for_each(|member| member.is_passed_over = true);
        }
    }

    fn announce_on(&mut self, now: Time, out: &mut Outbox) {
        let length = (self.sample_rate / FRAMES_PER_SECOND) as usize;
        let id = self.id;
        self.announcements.retain_mut(|announcement| announcement.go_on(now, length, id, out));
    }

    /// Whether all hear an announcement and nothing else.
    fn is_silenced(&self) -> bool {
        self.announcements.iter().any(|announcement| announcement.alone && announcement.is_for_all())
    }

    fn choose_speakers(&mut self) {
        self.loudest.clear();
        let silenced = self.is_silenced();
        for (key, member) in &self.members {
            if member.is_said && member.seat.heard == Heard::ByAll && !silenced {
                let level = energy(&member.frame) * if member.speaks { HELD_PLACE } else { 16 };
                self.loudest.push((level, *key));
            }
        }
        if self.loudest.len() > SPEAKERS_MAX {
            self.loudest.sort_unstable_by(|one, other| other.cmp(one));
            self.loudest.truncate(SPEAKERS_MAX);
        }
        self.members.values_mut().for_each(|member| member.speaks = false);
        for (_, key) in &self.loudest {
            self.members.get_mut(key).into_iter().for_each(|member| member.speaks = true);
        }
    }

    fn add_up(&mut self) {
        self.sum.clear();
        self.sum.resize((self.sample_rate / FRAMES_PER_SECOND) as usize, 0);
        self.whispering.clear();
        let silenced = self.is_silenced();
        for (key, member) in &self.members {
            if member.speaks {
                add(&mut self.sum, &member.frame);
            } else if member.is_said && !silenced && matches!(member.seat.heard, Heard::By(_)) {
                self.whispering.push(*key);
            }
        }
        let sum = &mut self.sum;
        self.chimes.retain_mut(|chime| chime.add(sum));
        let for_all = self.announcements.iter().filter(|announcement| announcement.is_for_all());
        for_all.for_each(|announcement| add(sum, &announcement.frame));
        self.mix.clear();
        self.mix.extend(self.sum.iter().map(|sample| clip(*sample)));
    }

    fn send(&mut self, nominal: Time, legs: &mut Slots<Leg>, out: &mut Outbox) {
        self.frame += 1;
        let mut listeners = std::mem::take(&mut self.listeners);
        let mut listed = std::mem::take(&mut self.listed);
        listeners.extend(self.members.iter().filter(|(_, member)| member.seat.hears).map(|(key, _)| *key));
        let told = |key: &Key<Leg>| legs.get(*key).map_or(SpeakersTold::Nothing, Leg::told_of_speakers);
        if listeners.iter().any(|key| told(key) != SpeakersTold::Nothing) {
            self.list_speakers();
        }
        for key in listeners.drain(..) {
            if self.is_still_bridged(nominal, key) {
                continue;
            }
            let Some(leg) = legs.get_mut(key) else { continue };
            let Some(format) = leg.format() else { continue };
            // A packet each time, also of silence: who hears nothing for long takes the call for dead.
            let loss = leg.loss_there();
            self.list_heard_by(key, leg.told_of_speakers(), &mut listed);
            let payload = if self.hears_its_own(key) {
                self.write_for(key, format, loss)
            } else {
                self.write_for_all(format, loss)
            };
            leg.say_mix(nominal, (Talker::Room, &listed), payload, out);
        }
        (self.listeners, self.listed) = (listeners, listed);
        let frame = self.frame;
        self.shared.retain(|(_, written)| frame - written < FORMAT_KEPT);
    }

    /// Whether a listener hears something else than those who only listen, or did so just now: then it is in `own_mix`.
    fn hears_its_own(&mut self, key: Key<Leg>) -> bool {
        let is_whispered_to = self.whispers_to(key).next().is_some();
        let frame = self.frame;
        let Some(listener) = self.members.get_mut(&key) else { return false };
        let leg = listener.leg;
        let is_told = self.announcements.iter().any(|announcement| announcement.is_for(leg));
        if listener.speaks || is_whispered_to || is_told {
            listener.own_until = frame + OWN_KEPT;
        }
        if frame >= listener.own_until {
            return false;
        }
        let mut sum = std::mem::take(&mut self.own_sum);
        sum.clear();
        sum.extend_from_slice(&self.sum);
        if let Some(own) = self.members.get(&key).filter(|listener| listener.speaks) {
            for (place, sample) in sum.iter_mut().zip(&own.frame) {
                *place -= i32::from(*sample);
            }
        }
        self.whispers_to(key).for_each(|whisperer| add(&mut sum, &whisperer.frame));
        self.add_announcements(leg, &mut sum);
        self.own_mix.clear();
        self.own_mix.extend(sum.iter().map(|sample| clip(*sample)));
        self.own_sum = sum;
        true
    }

    /// What only this party is told, beside or instead of what it hears.
    fn add_announcements(&self, leg: LegId, sum: &mut [i32]) {
        let own = || self.announcements.iter().filter(|announcement| announcement.is_for(leg));
        if own().any(|announcement| announcement.alone) {
            sum.fill(0);
        }
        own().for_each(|announcement| add(sum, &announcement.frame));
    }

    /// Those who whisper to this party now.
    fn whispers_to(&self, key: Key<Leg>) -> impl Iterator<Item = &Member> {
        let leg = self.members.get(&key).map(|listener| listener.leg);
        let others = self.whispering.iter().filter(move |whisperer| **whisperer != key);
        others.filter_map(|whisperer| self.members.get(whisperer)).filter(move |whisperer| {
            matches!(&whisperer.seat.heard, Heard::By(legs) if leg.is_some_and(|leg| legs.contains(&leg)))
        })
    }

    /// For the first that hears it in this frame it is written; what that one reports of the way holds for the others.
    fn write_for_all(&mut self, format: Format, loss: u8) -> &[u8] {
        let at = self.shared.iter().position(|(voice, _)| voice.format() == format).unwrap_or_else(|| {
            self.shared.push((Voice::new(format, self.sample_rate), 0));
            self.shared.len() - 1
        });
        let Some((voice, written)) = self.shared.get_mut(at) else { return &[] };
        if std::mem::replace(written, self.frame) == self.frame {
            return voice.written();
        }
        voice.adapt(loss);
        voice.write(&self.mix)
    }

    fn write_for(&mut self, key: Key<Leg>, format: Format, loss: u8) -> &[u8] {
        let Some(member) = self.members.get_mut(&key) else { return &[] };
        let (frame, sample_rate) = (self.frame, self.sample_rate);
        let is_current = |voice: &Voice| voice.format() == format;
        // It goes on where the voice for all was, or where it was itself in the last frame.
        if !member.voice.as_ref().is_some_and(|(voice, written)| is_current(voice) && *written + 1 == frame) {
            let shared = self.shared.iter().find(|(voice, _)| is_current(voice));
            let voice = shared.and_then(|(voice, _)| voice.go_on_as());
            let voice = voice.unwrap_or_else(|| Voice::new(format, sample_rate));
            member.voice = Some((Box::new(voice), frame));
        }
        let Some((voice, written)) = &mut member.voice else { return &[] };
        *written = frame;
        voice.adapt(loss);
        voice.write(&self.own_mix)
    }
}

fn add(sum: &mut [i32], frame: &[i16]) {
    for (place, sample) in sum.iter_mut().zip(frame) {
        *place += i32::from(*sample);
    }
}

fn clip(sample: i32) -> i16 {
    sample.clamp(-0x8000, 0x7fff) as i16
}
